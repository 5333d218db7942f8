import type { IoredisSubscriber, NodeRedisSubscriber } from './clients.js'

/** Calls `wake` on each message of a channel, from the moment at which it resolves until what it gives is called. */
export type Watch = (channel: string, wake: () => void) => Promise<() => void>

/** One channel that somebody waits for. */
interface Channel {
  /** By identity, so that one function may wait twice. */
  readonly waiting: Set<{ readonly wake: () => void }>
  readonly wakeAll: () => void
  /** Redis said that the subscription is there. */
  readonly subscribed: Promise<unknown>
}

interface Subscriptions {
  subscribe(channel: string, wake: () => void): Promise<unknown>
  unsubscribe(channel: string, wake: () => void): Promise<unknown>
}

const known = new WeakMap<object, Watch>()

/**
 * Watches channels over one connection: each is subscribed to when the first waits for it, and left when the last has
 * gone. Stores with the same subscriber share it, since ioredis does not count who subscribed to what.
 */
export function watchOver(subscriber: IoredisSubscriber | NodeRedisSubscriber): Watch {
  const watch = known.get(subscriber) ?? createWatch('isOpen' in subscriber ? nodeRedisSubscriptions(subscriber) : ioredisSubscriptions(subscriber))
  known.set(subscriber, watch)
  return watch
}

function createWatch({ subscribe, unsubscribe }: Subscriptions): Watch {
  const channels = new Map<string, Channel>()
  const leaving = new Map<string, Promise<void>>()

  const enter = (name: string): Channel => {
    const waiting: Channel['waiting'] = new Set()
    const wakeAll = (): void => {
      for (const { wake } of waiting) wake()
    }
    // What comes after a departure must not be undone by it.
    const subscribed = Promise.resolve(leaving.get(name)).then(() => subscribe(name, wakeAll))
    const channel = { waiting, wakeAll, subscribed }
    channels.set(name, channel)
    subscribed.catch(() => forget(name, channel))
    return channel
  }
  const forget = (name: string, channel: Channel): boolean => channels.get(name) === channel && channels.delete(name)
  const leave = (name: string, channel: Channel): void => {
    if (channel.waiting.size > 0 || !forget(name, channel)) return
    const left = unsubscribe(name, channel.wakeAll).then(
      () => {},
      // Without a connection there is nothing to leave.
      () => {},
    )
    leaving.set(name, left)
    void left.then(() => leaving.get(name) === left && leaving.delete(name))
  }

  return async (name, wake) => {
    const channel = channels.get(name) ?? enter(name)
    const waiter = { wake }
    channel.waiting.add(waiter)
    await channel.subscribed
    return () => {
      if (channel.waiting.delete(waiter)) leave(name, channel)
    }
  }
}

function ioredisSubscriptions(client: IoredisSubscriber): Subscriptions {
  const wakes = new Map<string, () => void>()
  client.on('message', (channel) => wakes.get(channel)?.())
  return {
    async subscribe(channel, wake) {
      wakes.set(channel, wake)
      try {
        await client.subscribe(channel)
      } catch (error) {
        wakes.delete(channel)
        throw error
      }
    },
    async unsubscribe(channel) {
      wakes.delete(channel)
      await client.unsubscribe(channel)
    },
  }
}

function nodeRedisSubscriptions(client: NodeRedisSubscriber): Subscriptions {
  return {
    subscribe: (channel, wake) => client.subscribe(channel, wake),
    unsubscribe: async (channel, wake) => client.unsubscribe(channel, wake),
  }
}
