import { HopwiseError } from '@hopwise/core'
import { Cluster, Redis } from 'ioredis'
import { createClient, createClientPool, createCluster, createSentinel } from 'redis'
import { createClient as createClient4, createCluster as createCluster4 } from 'redis-4'
import { expect, onTestFinished, test } from 'vitest'
import { redisStore, type RedisStoreOptions } from './index.js'

const ioredis = new Redis({ lazyConnect: true })
const nodeRedis = createClient()
const sendCommand = async () => 1

test.each<[name: string, options: unknown, code: string, message: string]>([
  ['no options', undefined, 'option-invalid', 'exactly one of the options "ioredis", "nodeRedis" and "sendCommand" is required'],
  ['no connection', { prefix: 'x' }, 'option-invalid', 'exactly one of'],
  ['two connections', { ioredis, sendCommand }, 'option-invalid', 'exactly one of'],
  ['an unknown option', { ioredis, client: 1 }, 'option-unknown', 'unknown option "client"'],
  ['a node-redis client as ioredis', { ioredis: nodeRedis }, 'option-invalid', 'allowed: a Redis or Cluster of ioredis'],
  ['an ioredis client as node-redis', { nodeRedis: ioredis }, 'option-invalid', 'allowed: a client, pool or cluster of node-redis'],
  ['a url', { ioredis: 'redis://localhost' }, 'option-invalid', 'option "ioredis" is "redis://localhost"'],
  ['a sentinel', { nodeRedis: createSentinel({ name: 'm', sentinelRootNodes: [] }) }, 'option-invalid', 'option "nodeRedis"'],
  ['a client with callbacks', { nodeRedis: { send_command: () => {}, sendCommand: () => {} } }, 'option-invalid', 'option "nodeRedis"'],
  ['a sendCommand that is none', { sendCommand: {} }, 'option-invalid', 'option "sendCommand"'],
  ['an empty prefix', { ioredis, prefix: '' }, 'option-invalid', 'option "prefix" is ""'],
  ['a prefix too long', { ioredis, prefix: 'p'.repeat(201) }, 'option-invalid', '1 to 200 characters'],
  ['a subscriber that cannot listen', { ioredis, subscriber: {} }, 'option-invalid', 'option "subscriber"'],
  ['the same connection as a subscriber', { ioredis, subscriber: ioredis }, 'option-invalid', 'client.duplicate()'],
  ['a subscriber that nobody tells', { ioredis, subscriber: nodeRedis, notify: false }, 'option-invalid', 'together with notify: false'],
  ['notify that is not a boolean', { ioredis, notify: 1 }, 'option-invalid', 'option "notify" is 1'],
  ['replicas without a timeout', { ioredis, waitReplicas: { count: 1 } }, 'option-invalid', 'waitReplicas: option "timeout" is required'],
  ['no replica', { ioredis, waitReplicas: { count: 0, timeout: 1 } }, 'option-invalid', 'from 1 to 16'],
  ['a wait for ever, which 0 means to Redis', { ioredis, waitReplicas: { count: 1, timeout: 0 } }, 'option-invalid', 'option "timeout" is 0'],
  ['replicas as a number', { ioredis, waitReplicas: 1 }, 'option-invalid', 'option "waitReplicas" is 1'],
  ['replicas over a pool', { nodeRedis: createClientPool(), waitReplicas: { count: 1, timeout: 1 } }, 'option-invalid', 'with a pool'],
  ['a warning that is no function', { ioredis, onWarning: 'log' }, 'option-invalid', 'option "onWarning"'],
])('%s is refused', (_name, options, code, message) => {
  expect(() => redisStore(options as RedisStoreOptions)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }))
  expect(() => redisStore(options as RedisStoreOptions)).toThrow(HopwiseError)
})

test('every kind of client is taken, none is connected by the store, and without a subscriber there is no watch', () => {
  const cluster = new Cluster([{ port: 1 }], { lazyConnect: true })
  onTestFinished(() => cluster.disconnect())
  const taken: RedisStoreOptions[] = [
    { ioredis },
    { ioredis: cluster },
    { nodeRedis },
    { nodeRedis: createClientPool() },
    { nodeRedis: createCluster({ rootNodes: [{ url: 'redis://127.0.0.1:1' }] }) },
    { nodeRedis: createClient4() },
    { nodeRedis: createCluster4({ rootNodes: [{ url: 'redis://127.0.0.1:1' }] }) },
    { sendCommand },
  ]
  for (const options of taken) expect(redisStore(options)).not.toHaveProperty('watch')
  expect([ioredis.status, cluster.status, nodeRedis.isOpen]).toEqual(['wait', 'wait', false])
})

test.each<[what: string, reply: unknown]>([
  ['null', null],
  ['a text', 'OK'],
  ['a parsed text', [{ a: 1 }]],
  ['an unknown kind', ['maybe']],
  ['a done without its response', ['done', null]],
  ['a response that was parsed', ['done', ['m', 201]]],
  ['a fence that is none', ['claimed', 'x', 0]],
])('a client that gives %s for a claim is told so', async (_what, reply) => {
  const store = redisStore({ sendCommand: async () => reply })
  const claim = store.claim({ key: 'k', owner: 'o', fingerprint: 'f', lease: 1, retention: 1, expired: 'take' } as Parameters<typeof store.claim>[0])
  await expect(claim).rejects.toMatchObject({ code: 'store-unusable', message: expect.stringContaining('replies must be passed on as they are') })
})
