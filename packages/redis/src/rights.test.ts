import { Redis } from 'ioredis'
import { readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { again, hold, milliseconds, minute, pass, request, response } from './testing/requests.js'
import { ioredisTo, privateRedis } from './testing/servers.js'
import { redisStore } from './index.js'

test('a user with the rights that the README names, and no others, can do everything', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const rights = readme.slice(readme.indexOf('## Rights'))
  const commands = [...rights.matchAll(/`([A-Z]+)`/g)].map(([, name = '']) => `+${name.toLowerCase()}`)
  const server = await privateRedis()
  const admin = ioredisTo(server)
  await admin.acl('SETUSER', 'hopwise', 'reset', 'on', '>secret', '~hopwise:idem:*', '&hopwise:idem:*', ...commands)

  const connect = () => new Redis({ port: server.port, username: 'hopwise', password: 'secret', enableReadyCheck: false, disableClientInfo: true })
  const [client, subscriber] = [connect(), connect()]
  onTestFinished(() => {
    client.disconnect()
    subscriber.disconnect()
  })
  const warnings: string[] = []
  await admin.config('SET', 'maxmemory-policy', 'allkeys-lru')
  const store = redisStore({ ioredis: client, subscriber, onWarning: (message) => void warnings.push(message) })
  const first = request({ lease: milliseconds(50) })
  const claim = await hold(store, first)
  let wakes = 0
  const stop = await store.watch?.(first.key, () => void wakes++)
  expect(await store.renew(claim, milliseconds(50))).toBe(true)
  expect(await store.savePhase(claim, 'charge', '1')).toBe(true)
  await pass(100)
  const next = { ...again(first), fence: 2 }
  expect(await store.claim(next)).toEqual({ kind: 'claimed', fence: 2, phases: { charge: '1' } })
  expect(await store.release(next)).toBe(true)
  const last = await hold(store, again(first))
  expect(await store.complete(last, response(), minute)).toBe(true)
  expect((await store.claim(again(first))).kind).toBe('done')
  await subscriber.subscribe('hopwise:idem:flush')
  stop?.()
  expect(wakes).toBe(2)
  expect(warnings.length).toBe(1)
  const careful = redisStore({ ioredis: client, waitReplicas: { count: 1, timeout: 1 }, onWarning: () => {} })
  await expect(careful.claim(request())).rejects.toThrow('0 of 1 replicas')
})
