import { describe, expect, test } from 'vitest'
import { createTraceContext, type TraceContextOptions } from './resolve.js'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const parentId = '00f067aa0ba902b7'
const traceparent = `00-${traceId}-${parentId}-01`
const other = `00-${traceId}-${parentId}-01-more`
const none = {
  traceparent: { repeated: 0, malformed: 0, 'forbidden-version': 0, 'zero-trace-id': 0, 'zero-parent-id': 0 },
  tracestate: { malformed: 0, 'too-many-members': 0, 'too-long': 0 },
  baggage: { 'bad-character': 0, 'too-many-members': 0, 'too-long': 0 },
}

/** A resolver with bytes that count up from 1, asked for a request with these fields. */
function resolver(options: TraceContextOptions = {}) {
  let next = 0
  const traces = createTraceContext({ random: (bytes) => bytes.forEach((_, at) => (bytes[at] = ++next)), ...options })
  const heard: unknown[] = []
  traces.on('rejected', (event) => heard.push(event))
  const resolve = (fields: Record<string, string | string[]> = {}) => traces.resolve((name) => [fields[name] ?? []].flat())
  return { traces, heard, resolve }
}
const firstTrace = '0102030405060708090a0b0c0d0e0f10'
const firstSpan = '1112131415161718'

describe('a valid traceparent', () => {
  test('is continued: its trace, its flags, a span id of our own', () => {
    const { resolve, traces } = resolver()
    expect(resolve({ traceparent })).toEqual({ traceId, parentId, spanId: '0102030405060708', flags: 1 })
    expect(resolve({ traceparent: `00-${traceId}-${parentId}-02` })).toEqual({ traceId, parentId, spanId: '090a0b0c0d0e0f10', flags: 2 })
    expect(traces.rejections()).toEqual(none)
  })

  test('brings its tracestate and baggage along', () => {
    const { resolve } = resolver()
    expect(resolve({ traceparent, tracestate: ['rojo=1', 'congo=2'], baggage: 'userId = alice' })).toMatchObject({ traceId, tracestate: 'rojo=1,congo=2', baggage: 'userId = alice' })
  })

  test('is continued also where its tracestate or baggage is wrong, and both are counted', () => {
    const { resolve, traces, heard } = resolver()
    expect(resolve({ traceparent, tracestate: 'FOO=1', baggage: 'ü' })).toEqual({ traceId, parentId, spanId: '0102030405060708', flags: 1 })
    resolve({ traceparent, tracestate: 'BAR=1' })
    expect(traces.rejections()).toEqual({ ...none, tracestate: { ...none.tracestate, malformed: 2 }, baggage: { ...none.baggage, 'bad-character': 1 } })
    expect(heard).toEqual([
      { field: 'tracestate', reason: 'malformed', count: 1 },
      { field: 'baggage', reason: 'bad-character', count: 1 },
      { field: 'tracestate', reason: 'malformed', count: 2 },
    ])
  })
})

describe('a new trace', () => {
  test('begins without a traceparent: random, not sampled, without the tracestate that came alone', () => {
    const { resolve, traces } = resolver()
    expect(resolve({ tracestate: 'foo=1', baggage: 'a=1' })).toEqual({ traceId: firstTrace, spanId: firstSpan, flags: 2, baggage: 'a=1' })
    expect(traces.rejections()).toEqual(none)
  })

  test('begins with an invalid traceparent, which is counted by its reason', () => {
    const { resolve, traces, heard } = resolver()
    expect(resolve({ traceparent: other, tracestate: 'foo=1', baggage: 'a=1' })).toEqual({
      traceId: firstTrace,
      spanId: firstSpan,
      flags: 2,
      baggage: 'a=1',
      restarted: 'malformed',
    })
    expect(resolve({ traceparent: [traceparent, traceparent] })).toMatchObject({ restarted: 'repeated', flags: 2 })
    expect(resolve({ traceparent: `ff-${traceId}-${parentId}-01` })).toMatchObject({ restarted: 'forbidden-version', flags: 2 })
    expect(traces.rejections().traceparent).toEqual({ ...none.traceparent, malformed: 1, repeated: 1, 'forbidden-version': 1 })
    expect(heard).toEqual(['malformed', 'repeated', 'forbidden-version'].map((reason) => ({ field: 'traceparent', reason, count: 1 })))
  })

  test('begins with each request where the caller is not trusted, and takes nothing along', () => {
    const { resolve, traces } = resolver({ trust: false })
    expect(resolve({ traceparent, tracestate: 'foo=1', baggage: 'a=1' })).toEqual({ traceId: firstTrace, spanId: firstSpan, flags: 2, restarted: 'untrusted' })
    expect(resolve({ baggage: 'a=1' })).toEqual({ traceId: '191a1b1c1d1e1f202122232425262728', spanId: '292a2b2c2d2e2f30', flags: 2 })
    expect(traces.rejections()).toEqual(none)
  })

  test('has ids that are never all zeros, and never the same', () => {
    expect(createTraceContext({ random: (bytes) => void bytes.fill(0) }).resolve(() => [])).toMatchObject({ traceId: `${'0'.repeat(31)}1`, spanId: `${'0'.repeat(15)}1` })
    const traces = createTraceContext()
    const contexts = Array.from({ length: 1_000 }, () => traces.resolve(() => []))
    for (const { traceId: trace, spanId } of contexts) expect(`${trace} ${spanId}`).toMatch(/^[\da-f]{32} [\da-f]{16}$/)
    expect(new Set(contexts.flatMap((context) => [context.traceId, context.spanId])).size).toBe(2_000)
  })
})

test('what was counted cannot be changed from outside', () => {
  const { traces } = resolver()
  Object.assign(traces.rejections().baggage, { 'too-long': 7 })
  expect(traces.rejections()).toEqual(none)
})

test.each([
  [{ trust: 'yes' }, 'traceContext: option "trust" is "yes"; allowed: true or false'],
  [{ random: 4 }, 'traceContext: option "random" is 4; allowed: a function that fills an array with random bytes'],
  [{ sampled: true }, 'traceContext: unknown option "sampled"; allowed: trust, random'],
])('%j is refused', (options, message) => {
  expect(() => createTraceContext(options as TraceContextOptions)).toThrow(expect.objectContaining({ name: 'HopwiseError', message }))
})
