import { describe, expect, test } from 'vitest'
import { aesGcmSealer } from './sealing.js'
import type { StoredResponse } from './store.js'
import { bench, created } from './testing/engine-bench.js'

const secret = (fill: number) => new Uint8Array(32).fill(fill)
const sealer = aesGcmSealer({ keys: { k1: secret(1) }, current: 'k1' })
const response: StoredResponse = {
  status: 201,
  fields: [['location', '/orders/1'], ['x-a', '1'], ['x-a', '2']],
  body: Uint8Array.of(0, 255, 254, 10),
  requestId: 'request-1',
}

describe('aesGcmSealer', () => {
  test.each([
    ['bytes', response],
    ['an empty body', { ...response, body: new Uint8Array() }],
    ['a body that was not kept', { ...response, body: null }],
    ['no request id', { ...response, requestId: undefined }],
  ])('opens what it sealed: %s', async (_what, given) => {
    expect(await sealer.open('key', await sealer.seal('key', given))).toEqual(given)
  })

  test('nothing but the status is readable, and no two seals are alike', async () => {
    const [one, two] = [await sealer.seal('key', response), await sealer.seal('key', response)]
    expect(one).toMatchObject({ status: 201, fields: [['hopwise-sealed', 'k1']], requestId: undefined })
    expect(new TextDecoder('latin1').decode(one.body ?? undefined)).not.toContain('/orders/1')
    expect(one.body).not.toEqual(two.body)
  })

  test('does not open for another key, changed, clear, or with a key that is gone', async () => {
    const sealed = await sealer.seal('key', response)
    const changed = { ...sealed, body: Uint8Array.from(sealed.body ?? []).map((byte, at) => (at === 20 ? byte ^ 1 : byte)) }
    for (const [key, one] of [['other', sealed], ['key', changed], ['key', { ...sealed, status: 402 }], ['key', response], ['key', { ...response, body: null }]] as const) {
      await expect(sealer.open(key, one)).rejects.toMatchObject({ code: 'seal-unopened' })
    }
    await expect(aesGcmSealer({ keys: { k2: secret(2) }, current: 'k2' }).open('key', sealed)).rejects.toThrow(/"k1"/)
  })

  test('opens what a store without room left of it: that the request is done', async () => {
    const left = { ...(await sealer.seal('key', response)), body: null }
    expect(await sealer.open('key', left)).toEqual({ status: 201, fields: [], body: null, requestId: undefined })
  })

  test('rotates: the old key opens what it sealed, the new one seals', async () => {
    const old = await sealer.seal('key', response)
    const rotated = aesGcmSealer({ keys: { k1: secret(1), k2: secret(2) }, current: 'k2' })
    expect(await rotated.open('key', old)).toEqual(response)
    expect((await rotated.seal('key', response)).fields).toEqual([['hopwise-sealed', 'k2']])
  })

  test.each([
    [{}, /option "keys" is required/],
    [{ keys: { k1: new Uint8Array(5) }, current: 'k1' }, /option "keys"/],
    [{ keys: { k1: secret(1) }, current: 'k2' }, /option "current" is "k2"/],
    [{ keys: { k1: secret(1) }, current: 'k1', iv: 1 }, /unknown option "iv"/],
  ])('wrong options: %j', (options, message) => {
    expect(() => aesGcmSealer(options as never)).toThrow(message)
  })
})

describe('an engine with a sealer', () => {
  test('stores nothing in clear, and replays all', async () => {
    let stored: StoredResponse | undefined
    const { run, reply } = bench({ seal: sealer }, (store) => ({
      ...store,
      complete: (claim, made, retention) => {
        stored = made
        return store.complete(claim, made, retention)
      },
    }))
    await (await run()).settle(created)
    expect(stored?.fields).toEqual([['hopwise-sealed', 'k1']])
    const replay = await reply()
    expect([replay.status, new TextDecoder().decode(replay.body)]).toEqual([201, 'made'])
  })

  test('what cannot be opened is a 503 and an event, never a second run', async () => {
    const { run, reply, told } = bench({ seal: sealer }, (store) => ({
      ...store,
      complete: (claim, _sealed, retention) => store.complete(claim, response, retention),
    }))
    await (await run()).settle(created)
    expect((await reply()).status).toBe(503)
    expect(told.at(-1)).toMatchObject({ name: 'store-error', event: { operation: 'open' } })
  })
})
