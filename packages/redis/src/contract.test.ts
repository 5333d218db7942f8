import type { Duration } from '@hopwise/core'
import { startRedis, startRedisCluster, type Redis, type RedisCluster } from '@hopwise/testkit/components'
import { storeContract } from '@hopwise/testkit/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clients, clusterClients, type Connect, type Connections } from './testing/clients.js'
import { redisStore } from './index.js'

let redis: Redis
let cluster: RedisCluster

beforeAll(async () => {
  ;[redis, cluster] = await Promise.all([startRedis(), startRedisCluster()])
})
afterAll(async () => {
  await Promise.all([redis?.stop(), cluster?.stop()])
})

/** The time is Redis's, so it really passes. A case may take half of a unit for its own operations, also on a busy machine. */
const unit = 200
const clock = { unit, advance: (time: Duration) => new Promise<void>((resolve) => void setTimeout(resolve, time)) }

const subjects: readonly [name: string, connect: Connect, ports: () => number[]][] = [
  ['ioredis', clients['ioredis 6'], () => [redis.port]],
  ['node-redis', clients['node-redis 6'], () => [redis.port]],
  ['sendCommand', clients['sendCommand over JSON'], () => [redis.port]],
  ['ioredis on a cluster of three masters', clusterClients['ioredis cluster'], () => cluster.nodes.map(({ port }) => port)],
  ['node-redis on a cluster of three masters', clusterClients['node-redis cluster'], () => cluster.nodes.map(({ port }) => port)],
]

describe.each(subjects)('the store contract over %s', (name, connect, ports) => {
  let one: Connections
  let two: Connections
  let stores = 0

  beforeAll(async () => {
    ;[one, two] = await Promise.all([connect(ports()), connect(ports())])
  })
  afterAll(async () => {
    await Promise.all([one?.close(), two?.close()])
  })

  const { cases, skipped } = storeContract({
    name,
    clock,
    supports: { sharedData: true, sweep: false, watch: true },
    async create() {
      const prefix = `${name}:${++stores}:`
      const [store, second] = [one, two].map(({ options, subscriber }) => redisStore({ ...options, subscriber, prefix }))
      if (store === undefined || second === undefined) throw new Error('two connections make two stores')
      return { store, second, close: async () => {} }
    },
  })

  // Most of the time is waiting, and each case has keys of its own.
  test.concurrent.each(cases.map(({ name: title, run }) => [title, run] as const))('%s', (_title, run) => run())

  test('only the cases for sweeping do not apply', () => {
    expect(cases.length).toBeGreaterThan(80)
    expect(skipped.map(({ reason }) => reason)).toEqual(skipped.map(() => 'supports.sweep is false: the store expires records by itself'))
  })
})
