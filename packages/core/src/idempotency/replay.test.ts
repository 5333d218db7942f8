import { describe, expect, test } from 'vitest'
import type { Fields } from '../http.js'
import { replayOf, storableFields } from './replay.js'

const nothing: ReadonlySet<string> = new Set()
const named = (...names: string[]): Fields => names.map((name) => [name, 'value'])

describe('storableFields', () => {
  test.each([
    'connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authentication-info', 'te', 'trailer',
    'transfer-encoding', 'upgrade', 'content-length', 'date', 'age', 'server', 'set-cookie', 'set-cookie2', 'traceparent',
    'tracestate', 'server-timing', 'x-request-id', 'idempotent-replayed', 'idempotent-body', 'x-original-request-id',
    'access-control-allow-origin', 'access-control-allow-credentials', 'access-control-expose-headers',
    'ratelimit', 'ratelimit-policy', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset',
    'x-ratelimit-remaining', 'x-rate-limit-remaining',
  ])('%s is never stored, in no spelling', (name) => {
    const spellings = [name, name.toUpperCase(), name.replaceAll(/(^|-)([a-z])/g, (letter) => letter.toUpperCase())]
    expect(storableFields([...named(...spellings), ['location', '/orders/7']], nothing)).toEqual([['location', '/orders/7']])
  })

  test('what belongs to the response is stored as it was written', () => {
    const fields = named(
      'Content-Type', 'Content-Encoding', 'Content-Language', 'Location', 'ETag', 'Last-Modified', 'Cache-Control', 'Vary', 'Link',
      'Retry-After', 'WWW-Authenticate', 'X-Order-Id', 'x-rate', 'access', 'serverless',
    )
    expect(storableFields(fields, nothing)).toEqual(fields)
  })

  test('fields that Connection names go with it, in any case and form', () => {
    const fields: Fields = [
      ['X-Hop', '1'],
      ['x-other-hop', '2'],
      ['X-Third', '3'],
      ['x-end', '4'],
      ['Connection', 'close, X-HOP ,x-other-hop'],
      ['connection', 'x-third'],
    ]
    expect(storableFields(fields, nothing)).toEqual([['x-end', '4']])
  })

  test('repeated fields are kept, in order', () => {
    const fields: Fields = [['Link', '<a>'], ['x-one', '1'], ['link', '<b>'], ['Link', '<a>']]
    expect(storableFields(fields, nothing)).toEqual(fields)
  })

  test('further names are left out too', () => {
    expect(storableFields(named('X-Session', 'x-kept'), new Set(['x-session']))).toEqual(named('x-kept'))
  })

  test('the fields that came are not changed', () => {
    const fields: Fields = named('date', 'x-kept')
    storableFields(fields, nothing)
    expect(fields).toEqual(named('date', 'x-kept'))
  })
})

describe('replayOf', () => {
  const body = Uint8Array.of(0xff, 0x00, 0x80)

  test('is the same status, fields and bytes, marked, with the id of the request that made it', () => {
    const stored = { status: 303, fields: [['Location', '/orders/7'], ['Link', '<a>'], ['Link', '<b>']] as const, body, requestId: 'first-request' }
    expect(replayOf(stored)).toEqual({
      status: 303,
      fields: [['Location', '/orders/7'], ['Link', '<a>'], ['Link', '<b>'], ['idempotent-replayed', 'true'], ['x-original-request-id', 'first-request']],
      body,
    })
  })

  test('says nothing of an id that was not known', () => {
    expect(replayOf({ status: 204, fields: [], body: Uint8Array.of(), requestId: undefined })).toEqual({
      status: 204,
      fields: [['idempotent-replayed', 'true']],
      body: Uint8Array.of(),
    })
  })

  test('of a body that was not kept says so, and leaves out what describes a body', () => {
    const fields: Fields = [
      ['Content-Type', 'video/mp4'],
      ['content-encoding', 'gzip'],
      ['Content-Range', 'bytes 0-1/2'],
      ['Content-MD5', 'x'],
      ['Content-Digest', 'x'],
      ['Content-Language', 'ko'],
      ['Location', '/orders/7'],
    ]
    expect(replayOf({ status: 200, fields, body: null, requestId: 'first-request' })).toEqual({
      status: 200,
      fields: [['Content-Language', 'ko'], ['Location', '/orders/7'], ['idempotent-replayed', 'true'], ['x-original-request-id', 'first-request'], ['idempotent-body', 'omitted']],
      body: Uint8Array.of(),
    })
  })
})
