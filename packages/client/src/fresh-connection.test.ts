import { EventEmitter, once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createClientOf } from './client.js'
import type { ClientInit } from './order.js'

/** A client on a runtime that tells nothing and has fresh connections; `outcomes` are those of its attempts. */
function open(outcomes: readonly ('lost' | number)[]) {
  const inits: Record<string, unknown>[] = []
  let made = 0
  let held = 0
  const fetch = async (_input: unknown, init: unknown): Promise<Response> => {
    const outcome = outcomes[inits.length] ?? 200
    inits.push({ ...(init as object), held })
    if (outcome === 'lost') throw new TypeError('fetch failed')
    return new Response(null, { status: outcome })
  }
  const freshConnection = () => {
    made += 1
    held += 1
    return { init: { client: `own ${made}` }, release: () => void (held -= 1) }
  }
  const client = createClientOf({ fetch, random: () => 0 }, { runtime: { resendsBytes: false, showsRedirects: true, freshConnection } })
  const send = (init?: ClientInit): Promise<unknown> => client('http://a.example/', init).then(({ status }) => status, (error: unknown) => error)
  return { send, inits, held: () => held, made: () => made }
}

test.each<[string, readonly ('lost' | number)[], readonly unknown[]]>([
  ['no attempt was lost', [503, 503], [undefined, undefined, undefined]],
  ['the first attempt was lost', ['lost'], [undefined, 'own 1']],
  ['one was lost before a response', ['lost', 503], [undefined, 'own 1', 'own 2']],
  ['every attempt is lost', ['lost', 'lost', 'lost'], [undefined, 'own 1', 'own 2']],
])('after an attempt that was lost, a fresh connection, released when the attempt is over: %s', async (_what, outcomes, clients) => {
  const { send, inits, held } = open(outcomes)
  await send()
  expect(inits.map(({ client }) => client)).toEqual(clients)
  expect(inits.map((init) => init['held'])).toEqual(clients.map((client) => (client === undefined ? 0 : 1)))
  expect(held()).toBe(0)
})

test('what the caller says stays', async () => {
  const { send, inits } = open(['lost'])
  expect(await send({ client: 'of the caller' } as ClientInit)).toBe(200)
  expect(inits.map(({ client }) => client)).toEqual(['of the caller', 'of the caller'])
})

test('the next call begins on the pool again', async () => {
  const { send, inits } = open(['lost'])
  await send()
  await send()
  expect(inits.map(({ client }) => client)).toEqual([undefined, 'own 1', undefined])
})

test('a call that is given up while its body is made takes no connection', async () => {
  const { send, inits, made } = open(['lost'])
  const abort = new AbortController()
  const bodies: (() => void)[] = []
  const makes = new EventEmitter()
  const getBody = (): Promise<string> =>
    new Promise((resolve) => {
      bodies.push(() => resolve('tea'))
      makes.emit('make')
    })
  const first = once(makes, 'make')
  const sending = send({ method: 'PUT', getBody, signal: abort.signal })
  await first
  const second = once(makes, 'make')
  bodies[0]?.()
  await second
  abort.abort()
  expect(await sending).toMatchObject({ verdict: 'aborted' })
  bodies[1]?.()
  await turn()
  expect([inits.length, made()]).toEqual([1, 0])
})
