/** What the store needs of an ioredis `Redis` or `Cluster`. */
export interface IoredisClient {
  call(command: string, ...args: string[]): Promise<unknown>
  pipeline(): IoredisPipeline
  readonly isCluster: boolean
}

interface IoredisPipeline {
  exists(key: string): IoredisPipeline
  call(command: string, ...args: string[]): IoredisPipeline
  exec(): Promise<[error: Error | null, result: unknown][] | null>
}

/** What the store needs of a node-redis client or pool (4, 5 or 6). */
export interface NodeRedisClient {
  sendCommand(args: string[]): Promise<unknown>
  readonly isOpen: boolean
}

/** What the store needs of a node-redis cluster (4, 5 or 6). */
export interface NodeRedisCluster {
  sendCommand(firstKey: string | undefined, isReadonly: boolean | undefined, args: string[]): Promise<unknown>
  readonly isOpen: boolean
  readonly masters: readonly unknown[]
  /** From version 6. */
  getNodeClientForKey?(key: string): Promise<NodeRedisClient>
}

/**
 * Sends one command and gives its reply as Redis gave it: numbers, texts (or bytes), and arrays of them. An error reply
 * must reject, with Redis's words in its message. `key` is the one that the command is about, for routing.
 */
export type SendCommand = (args: string[], key: string) => Promise<unknown>

/** What the store needs of a second ioredis connection, which does nothing but listen. */
export interface IoredisSubscriber {
  subscribe(channel: string): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
  on(event: 'message', listener: (channel: string) => void): unknown
  call(command: string, ...args: string[]): Promise<unknown>
}

/** What the store needs of a second node-redis connection, which does nothing but listen. */
export interface NodeRedisSubscriber {
  subscribe(channel: string, listener: () => void): Promise<unknown>
  unsubscribe(channel: string, listener: () => void): Promise<unknown>
  readonly isOpen: boolean
}

/** The one way in which the store talks to any client. */
export interface Connection {
  readonly send: SendCommand
  /** WAIT on the connection that writes `key`: how many replicas have what was written, after at most `timeout` ms. */
  wait(key: string, count: number, timeout: number): Promise<unknown>
}

/** Over an ioredis `Redis` or `Cluster`. */
export function overIoredis(client: IoredisClient): Connection {
  // In lower case: by that name ioredis 5 finds where the key is, for its prefix and its node.
  const send: SendCommand = ([name = '', ...args]) => client.call(name.toLowerCase(), ...args)
  if (!client.isCluster) return overSendCommand(send)
  return {
    send,
    async wait(key, count, timeout) {
      // WAIT has no key: alone, it would go to any node. A pipeline goes to the node of the first key in it.
      const replies = await client.pipeline().exists(key).call('wait', String(count), String(timeout)).exec()
      const [error, reached] = replies?.[1] ?? [new Error('WAIT got no reply')]
      if (error !== null) throw error
      return reached
    },
  }
}

/** Over a node-redis client, pool or cluster. */
export function overNodeRedis(client: NodeRedisClient | NodeRedisCluster): Connection {
  if (!isCluster(client)) return overSendCommand((args) => client.sendCommand(args))
  const send: SendCommand = (args, key) => client.sendCommand(key, false, args)
  if (client.getNodeClientForKey === undefined) return overSendCommand(send)
  return {
    send,
    async wait(key, count, timeout) {
      // Sent through the cluster, version 6 asks every master to wait.
      const node = await client.getNodeClientForKey?.(key)
      return node?.sendCommand(waitCommand(count, timeout))
    },
  }
}

/** Over a function. */
export function overSendCommand(send: SendCommand): Connection {
  return { send, wait: (key, count, timeout) => send(waitCommand(count, timeout), key) }
}

function waitCommand(count: number, timeout: number): string[] {
  return ['WAIT', String(count), String(timeout)]
}

function isCluster(client: NodeRedisClient | NodeRedisCluster): client is NodeRedisCluster {
  return 'masters' in client
}

/** Whether `value` looks like an ioredis `Redis` or `Cluster`. */
export function isIoredis(value: unknown): value is IoredisClient {
  return has(value, 'call', 'pipeline') && 'isCluster' in (value as object)
}

/** Whether `value` looks like a node-redis client, pool or cluster of version 4 or later. */
export function isNodeRedis(value: unknown): value is NodeRedisClient | NodeRedisCluster {
  // A sentinel's `sendCommand` takes other arguments: for one, a `sendCommand` function does.
  return has(value, 'sendCommand') && 'isOpen' in (value as object) && !isIoredis(value) && !has(value, 'acquire')
}

/** Whether `value` looks like a connection that can listen. */
export function isSubscriber(value: unknown): value is IoredisSubscriber | NodeRedisSubscriber {
  return has(value, 'subscribe', 'unsubscribe') && (isIoredis(value) || 'isOpen' in (value as object))
}

function has(value: unknown, ...methods: readonly string[]): boolean {
  return typeof value === 'object' && value !== null && methods.every((name) => typeof (value as Record<string, unknown>)[name] === 'function')
}
