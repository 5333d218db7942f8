import { describe, expect, onTestFinished, test } from 'vitest'
import { undiciBinding, undiciVersions } from '../testing/bindings.js'
import { ok, startFaultServer } from '../testing/fault-server.js'
import { listOf, rawField, requestField } from './fields.js'

describe.each(undiciVersions)('undici %i', (version) => {
  /** What arrives of a POST's fields after an attempt that was answered by 503. */
  async function arrived(headers: unknown) {
    const server = await startFaultServer(({ before }) => (before === 0 ? { status: 503 } : ok))
    const client = await undiciBinding(version).open({ random: () => 0, trustedOrigins: [server.origin] })
    onTestFinished(async () => {
      await client.close()
      await server.close()
    })
    await client.send(`${server.origin}/x`, { method: 'POST', body: 'tea', headers: headers as Record<string, string> })
    expect(server.seen).toHaveLength(2)
    return server.seen.map(({ fields }) => fields)
  }

  test.each<[string, () => unknown]>([
    ['an object', () => ({ Authorization: 'Bearer x' })],
    ['a flat list', () => ['Authorization', 'Bearer x']],
    ['Headers', () => new Headers({ authorization: 'Bearer x' })],
    ['a Map', () => new Map([['authorization', 'Bearer x']])],
    [
      'a generator, which can be read once',
      function* () {
        yield ['authorization', 'Bearer x']
      },
    ],
  ])('%s arrives whole, each time', async (_what, make) => {
    for (const fields of await arrived(make())) expect(fields).toMatchObject({ authorization: 'Bearer x', 'idempotency-key': expect.any(String) as string })
  })

  test.each<[string, unknown]>([
    ['an object', { 'Idempotency-Key': '', 'X-Request-Id': '' }],
    ['a flat list', ['Idempotency-Key', '', 'X-Request-Id', '']],
  ])('an empty key and id in %s are none, and are not sent beside those that are made', async (_what, headers) => {
    for (const fields of await arrived(headers)) expect([fields['idempotency-key'], fields['x-request-id']]).toEqual([expect.stringMatching(/^[\da-f-]{36}$/), expect.stringMatching(/^[\da-f-]{36}$/)])
  })
})

describe.each(undiciVersions)('undici %i', (version) => {
  test.each([
    ['a list in which a value is missing', ['authorization', 'Bearer x', 'x-b'], 'headers array must be even'],
    ['a text', 'authorization: Bearer x', 'headers must be an object or an array'],
  ])('%s is a mistake, as without the interceptor', async (_what, headers, message) => {
    const client = await undiciBinding(version).open()
    onTestFinished(() => client.close())
    await expect(client.send('http://127.0.0.1:1/x', { headers: headers as never })).rejects.toMatchObject({ attempts: 1, cause: { message } })
  })
})

test('the first value that is not empty counts', () => {
  const headers = ['Idempotency-Key', '', 'idempotency-key', 'mine']
  expect([requestField(headers, 'idempotency-key'), requestField({ a: ['', 'b'] }, 'a'), requestField({ a: undefined }, 'a'), requestField('a: b', 'a')]).toEqual(['mine', 'b', undefined, undefined])
})

test('several fields of a response are one list', () => {
  const raw = ['Retry-After', '1', 'x-other', '7', 'retry-after', '2'].map((text) => Buffer.from(text))
  expect([rawField(raw, 'retry-after'), rawField(raw, 'x-none'), rawField(undefined, 'x-other')]).toEqual(['1, 2', undefined, undefined])
  expect([listOf(['1', '2']), listOf('1'), listOf(undefined)]).toEqual(['1, 2', '1', undefined])
})
