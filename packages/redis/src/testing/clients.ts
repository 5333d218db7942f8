import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis-5'
import { createClient, createClientPool, createCluster, RESP_TYPES } from 'redis'
import { createClient as createClient4 } from 'redis-4'
import { createClient as createClient5 } from 'redis-5'
import type { RedisStoreOptions } from '../index.js'

/** What is needed for a store: a connection, and one that listens. */
export interface Connections {
  readonly options: Pick<RedisStoreOptions, 'ioredis' | 'nodeRedis' | 'sendCommand'>
  readonly subscriber: NonNullable<RedisStoreOptions['subscriber']>
  close(): Promise<void>
}

/** One kind of client, by name, and how to connect it to these ports: one server, or the nodes of a cluster. */
export type Connect = (ports: readonly number[]) => Promise<Connections>

const host = '127.0.0.1'
const url = ([port]: readonly number[]): string => `redis://${host}:${port}`
const nodes = (ports: readonly number[]) => ports.map((port) => ({ host, port }))
const rootNodes = (ports: readonly number[]) => ports.map((port) => ({ url: url([port]) }))

/** Clients of one server. */
export const clients = {
  'ioredis 6': async (ports) => ioredis(new Redis(url(ports)), new Redis(url(ports))),
  'ioredis 5': async (ports) => ioredis(new Redis5(url(ports)), new Redis5(url(ports))),
  'ioredis with a keyPrefix': async (ports) => ioredis(new Redis(url(ports), { keyPrefix: 'app:' }), new Redis(url(ports), { keyPrefix: 'app:' })),
  'ioredis with auto-pipelining': async (ports) => ioredis(new Redis(url(ports), { enableAutoPipelining: true }), new Redis(url(ports))),
  'node-redis 6': (ports) => nodeRedis(createClient({ url: url(ports) }), createClient({ url: url(ports) })),
  'node-redis 6 in RESP2': (ports) => nodeRedis(createClient({ url: url(ports), RESP: 2 }), createClient({ url: url(ports), RESP: 2 })),
  'node-redis 6 that gives Buffers': (ports) =>
    nodeRedis(createClient({ url: url(ports), commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } } }), createClient({ url: url(ports) })),
  'node-redis 6 pool': (ports) => nodeRedis(createClientPool({ url: url(ports) }), createClient({ url: url(ports) })),
  'node-redis 5': (ports) => nodeRedis(createClient5({ url: url(ports) }), createClient5({ url: url(ports) })),
  'node-redis 4': (ports) => nodeRedis(createClient4({ url: url(ports) }), createClient4({ url: url(ports) })),
  'sendCommand over JSON': async (ports) => {
    const [client, subscriber] = [new Redis(url(ports)), new Redis(url(ports))]
    // As over a REST gateway: nothing but what JSON can say gets through.
    const viaJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T
    const sendCommand = async (args: string[]) => {
      const [command = '', ...rest] = viaJson(args)
      return viaJson(await client.call(command, ...rest))
    }
    return { options: { sendCommand }, subscriber, close: () => closeAll(client, subscriber) }
  },
} satisfies Record<string, Connect>

/** Clients of a cluster. */
export const clusterClients = {
  'ioredis cluster': async (ports) => ioredis(new Cluster(nodes(ports)), new Cluster(nodes(ports))),
  'ioredis 5 cluster': async (ports) => ioredis(new Cluster5(nodes(ports)), new Cluster5(nodes(ports))),
  'node-redis cluster': (ports) => nodeRedis(createCluster({ rootNodes: rootNodes(ports) }), createCluster({ rootNodes: rootNodes(ports) })),
} satisfies Record<string, Connect>

type AnyIoredis = Redis | Cluster | Redis5 | Cluster5

function ioredis(client: AnyIoredis, subscriber: AnyIoredis): Connections {
  return { options: { ioredis: client }, subscriber, close: () => closeAll(client, subscriber) }
}

async function closeAll(...all: readonly AnyIoredis[]): Promise<void> {
  await Promise.all(all.map((one) => one.quit()))
}

interface AnyNodeRedis {
  connect(): Promise<unknown>
  on(event: 'error', listener: () => void): unknown
  close?(): Promise<unknown>
  quit?(): Promise<unknown>
}

type Sending = AnyNodeRedis & NonNullable<RedisStoreOptions['nodeRedis']>
type Listening = AnyNodeRedis & Extract<RedisStoreOptions['subscriber'], { readonly isOpen: boolean }>

async function nodeRedis(client: Sending, subscriber: Listening): Promise<Connections> {
  for (const one of [client, subscriber]) {
    one.on('error', () => {})
    await one.connect()
  }
  const end = (one: AnyNodeRedis) => (one.close === undefined ? one.quit?.() : one.close())
  return { options: { nodeRedis: client }, subscriber, close: async () => void (await Promise.all([client, subscriber].map(end))) }
}
