import { describe, expect, test } from 'vitest'
import { runInContext, type RequestContext } from '../request-id/context.js'
import { logBindings } from './log-bindings.js'
import { outgoingFields } from './outgoing.js'
import { createTraceContext } from './resolve.js'
import { readTraceparent } from './traceparent.js'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '53995c3f42cd8ad8'
const requestId = { id: 'request-1', origin: 'new' } as const
const trace = { traceId, parentId: '00f067aa0ba902b7', spanId, flags: 3, tracestate: 'congo=t61rcWkgMzE', baggage: 'userId=alice' }
const context: RequestContext = { requestId, trace }

describe('outgoingFields', () => {
  test('has all that the current request knows', () => {
    expect(runInContext(context, () => outgoingFields(undefined, { spanId: '0000000000000001' }))).toEqual([
      ['x-request-id', 'request-1'],
      ['traceparent', `00-${traceId}-0000000000000001-03`],
      ['tracestate', 'congo=t61rcWkgMzE'],
      ['baggage', 'userId=alice'],
    ])
  })

  test('gives each call an id of its own, in the same trace', () => {
    const calls = Array.from({ length: 3 }, () => readTraceparent([new Headers(outgoingFields(context)).get('traceparent') ?? '']))
    expect(calls).toEqual(Array.from({ length: 3 }, () => ({ kind: 'parent', traceId, parentId: expect.any(String) as string, flags: 3 })))
    const ids = calls.map((call) => (call.kind === 'parent' ? call.parentId : ''))
    expect(new Set([...ids, spanId, trace.parentId]).size).toBe(5)
  })

  test('takes a context that is handed on, and another field for the request id', () => {
    expect(outgoingFields({ requestId }, { requestIdHeader: 'x-correlation-id' })).toEqual([['x-correlation-id', 'request-1']])
    expect(outgoingFields({ trace: { traceId, spanId, flags: 2 } }).map(([name]) => name)).toEqual(['traceparent'])
  })

  test('has nothing outside of a request', () => {
    expect(outgoingFields()).toEqual([])
    expect(outgoingFields({})).toEqual([])
  })

  test('what it sends is continued by the next server', () => {
    const headers = new Headers(outgoingFields(context))
    const next = createTraceContext().resolve((name) => [headers.get(name) ?? []].flat())
    expect(next).toMatchObject({ traceId, flags: 3, tracestate: trace.tracestate, baggage: trace.baggage })
  })
})

describe('logBindings', () => {
  test('has the ids of the current request', () => {
    expect(runInContext(context, () => logBindings())).toEqual({ requestId: 'request-1', traceId, spanId })
  })

  test('has what is known, in a new object each time', () => {
    expect(logBindings({ requestId })).toEqual({ requestId: 'request-1' })
    expect(logBindings({ trace })).toEqual({ traceId, spanId })
    expect(logBindings()).toEqual({})
    expect(logBindings()).not.toBe(logBindings())
  })
})
