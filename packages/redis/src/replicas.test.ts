import { startRedisCluster, type Redis as Server, type RedisCluster } from '@hopwise/testkit/components'
import { Cluster } from 'ioredis'
import { Cluster as Cluster5 } from 'ioredis-5'
import { createClient, createCluster } from 'redis'
import { createCluster as createCluster4 } from 'redis-4'
import { createCluster as createCluster5 } from 'redis-5'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { again, hold, milliseconds, minute, pass, request, response } from './testing/requests.js'
import { ioredisTo, privateRedis, storeOn } from './testing/servers.js'
import { tcpProxy } from './testing/tcp-proxy.js'
import { redisStore, type RedisStoreOptions } from './index.js'

const waitReplicas = { count: 1, timeout: 100 }

test.each(['ioredis', 'nodeRedis', 'sendCommand'])('without a replica a claim over %s is refused, and the key is free at once', async (kind) => {
  const server = await privateRedis()
  const client = ioredisTo(server)
  const nodeClient = createClient({ url: server.url })
  await nodeClient.connect()
  onTestFinished(() => void nodeClient.destroy())
  const connections: Record<string, RedisStoreOptions> = {
    ioredis: { ioredis: client },
    nodeRedis: { nodeRedis: nodeClient },
    sendCommand: { sendCommand: ([name = '', ...args]) => client.call(name, ...args) },
  }
  const store = redisStore({ ...connections[kind], waitReplicas })
  const first = request()
  await expect(store.claim(first)).rejects.toMatchObject({ code: 'store-unusable', message: expect.stringContaining('0 of 1 replicas have the write') })
  expect(await storeOn(server).store.claim(again(first))).toEqual({ kind: 'claimed', fence: 2 })
})

test('a takeover that too few replicas have is refused, and what ran before is not forgotten', async () => {
  const server = await privateRedis()
  const { client, store: plain } = storeOn(server)
  const first = request({ lease: milliseconds(1) })
  await plain.savePhase(await hold(plain, first), 'charge', '1')
  await pass(10)
  const store = redisStore({ ioredis: client, waitReplicas })
  await expect(store.claim(again(first))).rejects.toMatchObject({ code: 'store-unusable' })
  await pass(10)
  expect(await plain.claim(again(first, { expired: 'report' }))).toEqual({ kind: 'expired', fence: 2 })
  expect(await plain.claim(again(first, { fingerprint: 'other' }))).toEqual({ kind: 'mismatch' })
})

test('with a replica everything works, one round trip more; when it is gone, a completion is kept and says so', async () => {
  const [server, replica] = [await privateRedis(), await privateRedis()]
  const replicaClient = ioredisTo(replica)
  await replicaClient.replicaof('127.0.0.1', server.port)
  while (!(await replicaClient.info('replication')).includes('master_link_status:up')) await pass(20)
  const proxy = await tcpProxy(server.port)
  const store = redisStore({ ioredis: ioredisTo(proxy), waitReplicas: { count: 1, timeout: '10s' } })
  await hold(store)
  await pass(20)
  proxy.reset()
  const first = request()
  const claim = await hold(store, first)
  expect(proxy.roundTrips()).toBe(2)
  // The replica has it when the claim says so, with no further waiting.
  expect(await replicaClient.hget(`hopwise:idem:${first.key}`, 'state')).toBe('pending')
  expect(await store.savePhase(claim, 'one', '1')).toBe(true)
  expect(await replicaClient.hget(`hopwise:idem:${first.key}`, 'p:one')).toBe('1')
  proxy.reset()
  expect(await store.renew(claim, minute)).toBe(true)
  expect((await store.claim(again(first))).kind).toBe('pending')
  expect(proxy.roundTrips()).toBe(3)

  replica.pause()
  const impatient = redisStore({ ioredis: ioredisTo(server), waitReplicas })
  await expect(impatient.complete(claim, response(), minute)).rejects.toThrow('0 of 1 replicas')
  expect((await impatient.claim(again(first))).kind).toBe('done')
  replica.resume()
})

type ClusterConnection = Pick<RedisStoreOptions, 'ioredis' | 'nodeRedis'>

const clusterConnections: readonly [name: string, connect: (nodes: readonly Server[]) => Promise<readonly [ClusterConnection, () => unknown]>][] = [
  ['ioredis', async (nodes) => opened(new Cluster(addresses(nodes)))],
  ['ioredis 5', async (nodes) => opened(new Cluster5(addresses(nodes)))],
  ['node-redis 6', (nodes) => connected(createCluster({ rootNodes: urls(nodes) }))],
  ['node-redis 5', (nodes) => connected(createCluster5({ rootNodes: urls(nodes) }))],
  ['node-redis 4', (nodes) => connected(createCluster4({ rootNodes: urls(nodes) }))],
]

let cluster: RedisCluster

beforeAll(async () => {
  cluster = await startRedisCluster()
})
afterAll(() => cluster?.stop())

test.each(clusterConnections)('in a cluster, %s asks the node that has the key, and only that one', async (_name, connect) => {
  const clients = cluster.nodes.map((node) => ioredisTo(node))
  for (const client of clients) {
    await client.flushall()
    await client.config('RESETSTAT')
  }
  const [connection, close] = await connect(cluster.nodes)
  onTestFinished(async () => void (await close()))
  const store = redisStore({ ...connection, waitReplicas: { count: 1, timeout: 1 } })
  const calls = (command: string) =>
    Promise.all(clients.map(async (client) => Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(await client.info('commandstats'))?.[1] ?? 0)))
  for (let key = 0; key < 20; key++) await expect(store.claim(request())).rejects.toThrow('0 of 1 replicas')
  const waits = await calls('wait')
  expect(waits.reduce((sum, count) => sum + count)).toBe(20)
  expect(waits.filter((count) => count > 0).length).toBeGreaterThan(1)
  // Each key was claimed, and left as released, where the waiting was.
  expect(await Promise.all(clients.map((client) => client.dbsize()))).toEqual(waits)
})

function addresses(nodes: readonly Server[]) {
  return nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
}

function urls(nodes: readonly Server[]) {
  return nodes.map(({ url }) => ({ url }))
}

function opened(ioredis: NonNullable<RedisStoreOptions['ioredis']> & { disconnect(): void }) {
  return [{ ioredis }, () => ioredis.disconnect()] as const
}

async function connected(nodeRedis: NonNullable<RedisStoreOptions['nodeRedis']> & { connect(): Promise<unknown>; disconnect(): Promise<unknown> }) {
  await nodeRedis.connect()
  return [{ nodeRedis }, () => nodeRedis.disconnect()] as const
}
