import { afterEach, describe, expect, test, vi } from 'vitest'
import { response, utf8 } from './testing/requests.js'
import { readResponse, writeResponse } from './record.js'

const everyByte = Uint8Array.from({ length: 100_000 }, (_, at) => (at * 7 + (at >> 8)) & 0xff)

afterEach(() => void vi.unstubAllGlobals())

describe.each(['with Buffer', 'without Buffer, as at an edge'])('%s', (how) => {
  const roundTrip = (given: ReturnType<typeof response>) => {
    if (how !== 'with Buffer') vi.stubGlobal('Buffer', undefined)
    const read = readResponse(writeResponse(given, 'mark'))
    vi.unstubAllGlobals()
    return read
  }

  test.each<[what: string, body: Uint8Array | null]>([
    ['bytes that are not text', everyByte],
    ['a part of a larger buffer', everyByte.subarray(129, 1_000)],
    ['text', utf8('{"a":"é 한 😀"}\n\n')],
    ['a byte order mark', utf8('\ufeffx')],
    ['a surrogate written as UTF-8, which is not UTF-8', Uint8Array.of(0xed, 0xa0, 0x80)],
    ['one byte that is not text', Uint8Array.of(0xff)],
    ['nothing', new Uint8Array(0)],
    ['a body that was not kept', null],
  ])('%s', (_what, body) => {
    const given = response({ body })
    const read = roundTrip(given)
    expect(read).toEqual(given)
    if (read.body === null) return
    expect(read.body.buffer).not.toBe(body?.buffer)
    expect(read.body.byteLength).toBe(read.body.buffer.byteLength)
  })

  test('fields with line feeds, quotes and lone surrogates, and no request id', () => {
    const given = response({ fields: [['x', 'a\nb"\\\ud800'], ['X', '']], requestId: undefined })
    expect(roundTrip(given)).toEqual(given)
  })
})

test('text stands in the record as it is, other bytes are base64', () => {
  expect(writeResponse(response({ body: utf8('{"order":1}') }), 'm')).toBe(
    '["m",201,[["content-type","application/json"],["location","/orders/1"]],"request-1","t"]\n{"order":1}',
  )
  expect(writeResponse(response({ body: Uint8Array.of(0x89, 0, 0xff) }), 'm').split('\n')[1]).toBe('iQD/')
})
