import { booleanField, durationField, functionField, HopwiseError, integerField, parseOptions, valueField, type Duration, type DurationInput } from '@hopwise/core'
import {
  isIoredis,
  isNodeRedis,
  isSubscriber,
  overIoredis,
  overNodeRedis,
  overSendCommand,
  type IoredisClient,
  type IoredisSubscriber,
  type NodeRedisClient,
  type NodeRedisCluster,
  type NodeRedisSubscriber,
  type SendCommand,
} from './clients.js'

/** How many replicas must have a claim before its handler runs. */
export interface WaitReplicas {
  /** Range 1 to 16. */
  readonly count: number
  /** How long they are waited for; the connection does nothing else meanwhile. Keep it below the engine's `storeDeadline`. Range 1 ms to 60 s. */
  readonly timeout: DurationInput
}

/** The options of {@link redisStore}. Exactly one of `ioredis`, `nodeRedis` and `sendCommand` is given. */
export interface RedisStoreOptions {
  /** An ioredis `Redis` or `Cluster` (5 or 6). */
  readonly ioredis?: IoredisClient
  /** A node-redis client, pool or cluster (4, 5 or 6), which you have connected. */
  readonly nodeRedis?: NodeRedisClient | NodeRedisCluster
  /** For any other client: sends one command, and gives Redis's reply or rejects with its error. */
  readonly sendCommand?: SendCommand
  /** In front of every key and channel: 1 to 200 characters. Stores with the same one share their keys. ['hopwise:idem:'] */
  readonly prefix?: string
  /**
   * Publish that a key is done or free again, on the channel that has the key's name, so that whoever waits for the
   * result need not poll. [true]
   */
  readonly notify?: boolean
  /** A second connection of ioredis or node-redis, for nothing but listening: with it the store has `watch`. */
  readonly subscriber?: IoredisSubscriber | NodeRedisSubscriber
  /**
   * After a claim, a saved phase and a completion, wait until so many replicas have it (WAIT, one more round trip). With
   * too few in time the operation rejects. It makes a claim that a failover loses rarer, not impossible.
   */
  readonly waitReplicas?: WaitReplicas
  /** Hears once where Redis's eviction policy may lose keys. [process.emitWarning, where there is a process] */
  readonly onWarning?: (message: string) => void
}

/**
 * Reads the options once.
 * @throws HopwiseError `option-unknown`, `option-invalid`
 */
export function readRedisStoreOptions(options: RedisStoreOptions) {
  const { ioredis, nodeRedis, sendCommand, waitReplicas, onWarning = emitWarning, ...given } = parseOptions('redisStore', options, {
    ioredis: valueField<IoredisClient>('a Redis or Cluster of ioredis', isIoredis),
    nodeRedis: valueField<NodeRedisClient | NodeRedisCluster>('a client, pool or cluster of node-redis 4 or later', isNodeRedis),
    sendCommand: functionField<SendCommand>('a function that sends one command and gives its reply'),
    prefix: {
      ...valueField<string>('a text of 1 to 200 characters', (value) => typeof value === 'string' && value.length >= 1 && value.length <= 200),
      default: 'hopwise:idem:',
    },
    notify: booleanField(true),
    subscriber: valueField<IoredisSubscriber | NodeRedisSubscriber>('a second connection of ioredis or node-redis', isSubscriber),
    waitReplicas: valueField<WaitReplicas>('{ count, timeout }', (value) => typeof value === 'object' && value !== null),
    onWarning: functionField<(message: string) => void>('a function that takes a message'),
  })
  const connections = [ioredis && overIoredis(ioredis), nodeRedis && overNodeRedis(nodeRedis), sendCommand && overSendCommand(sendCommand)]
  const [connection, another] = connections.filter((one) => one !== undefined)
  if (connection === undefined || another !== undefined) {
    throw new HopwiseError('option-invalid', 'redisStore: exactly one of the options "ioredis", "nodeRedis" and "sendCommand" is required')
  }
  const { subscriber, notify } = given
  const sending: unknown = ioredis ?? nodeRedis
  if (subscriber !== undefined && subscriber === sending) {
    throw new HopwiseError('option-invalid', 'redisStore: option "subscriber" is the same connection; a connection that listens sends no commands, so it takes a second one, such as client.duplicate()')
  }
  if (subscriber !== undefined && !notify) {
    throw new HopwiseError('option-invalid', 'redisStore: option "subscriber" is given together with notify: false; allowed: one of them')
  }
  return { ...given, connection, onWarning, waitReplicas: waitReplicas && readWaitReplicas(waitReplicas, nodeRedis) }
}

function readWaitReplicas(input: WaitReplicas, nodeRedis: object | undefined): { readonly count: number; readonly timeout: Duration } {
  if (nodeRedis !== undefined && 'totalClients' in nodeRedis) {
    throw new HopwiseError('option-invalid', 'redisStore: option "waitReplicas" is given with a pool; WAIT counts for the connection that wrote, so it takes a single client')
  }
  return parseOptions('redisStore, waitReplicas', input, {
    count: { ...integerField({ min: 1, max: 16 }), required: true as const },
    timeout: { ...durationField({ min: '1ms', max: '60s' }), required: true as const },
  })
}

function emitWarning(message: string): void {
  globalThis.process?.emitWarning?.(message, { type: 'HopwiseWarning', code: 'redis-eviction' })
}
