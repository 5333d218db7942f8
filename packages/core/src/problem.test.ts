import { describe, expect, test } from 'vitest'
import { errorTable, errorText, HopwiseError, type RefusalCode } from './errors.js'
import { problem } from './problem.js'

const refusalCodes = Object.entries(errorTable).flatMap(([code, row]) => ('status' in row ? [code as RefusalCode] : []))

test('the table has the refusals of the design, each with its status', () => {
  expect(Object.fromEntries(refusalCodes.map((code) => [code, errorTable[code].status]))).toEqual({
    'key-missing': 400,
    'key-invalid': 400,
    'principal-missing': 400,
    'key-in-progress': 409,
    'outcome-unknown': 409,
    'request-timeout': 408,
    'body-too-large': 413,
    'key-reused': 422,
    'endless-stream': 500,
    'server-full': 503,
    'server-stopping': 503,
    'store-unavailable': 503,
  })
})

describe('problem', () => {
  test.each(refusalCodes)('%s is a problem document (RFC 9457) that nothing may cache', (code) => {
    const { status, fields, body } = problem(code, 'What happened – in plain words.')
    expect(status).toBe(errorTable[code].status)
    expect(fields).toEqual([['content-type', 'application/problem+json'], ['cache-control', 'no-store']])
    expect(JSON.parse(new TextDecoder().decode(body))).toEqual({
      type: `urn:hopwise:problem:${code}`,
      title: errorTable[code].title,
      status,
      detail: 'What happened – in plain words.',
    })
  })

  test('carries further fields after its own', () => {
    expect(problem('key-in-progress', '', [['retry-after', '7']]).fields.at(-1)).toEqual(['retry-after', '7'])
  })
})

test('a HopwiseError has its code, its message and its cause', () => {
  const cause = new Error('below')
  const error = new HopwiseError('store-unusable', 'cannot be used', { cause })
  expect(error).toBeInstanceOf(Error)
  expect(error).toMatchObject({ name: 'HopwiseError', code: 'store-unusable', message: 'cannot be used', cause })
})

test('errorText gives the message of an error and a text of anything else', () => {
  expect([new TypeError('a'), 'b', 7, null, undefined, Symbol('c')].map(errorText)).toEqual(['a', 'b', '7', 'null', 'undefined', 'Symbol(c)'])
})
