import { setTimeout as wait } from 'node:timers/promises'
import type { Client, Method } from './clients/client.js'

/** A request that failed. */
export interface Failure {
  readonly method: Method
  readonly why: string
  /** When it was sent and when it had failed, in milliseconds of performance.now(). */
  readonly sentAt: number
  readonly failedAt: number
}

/** Traffic that runs. */
export interface Load {
  readonly failures: readonly Failure[]
  requests(): number
  /** Ends it, once every request is answered. */
  stop(): Promise<void>
}

/** Has the clients send `rate` requests a second together, half of them POST, until it is stopped. */
export function startLoad(clients: readonly Client[], rate: number, random: () => number): Load {
  const failures: Failure[] = []
  const everyMs = (1_000 * clients.length) / rate
  let over = false
  let requests = 0
  const lane = async (client: Client): Promise<void> => {
    let due = performance.now() + random() * everyMs
    while (!over) {
      await wait(Math.max(0, due - performance.now()))
      // Who is late does not catch up: the rate is a wish, and the machine may be busy.
      due = Math.max(due, performance.now() - everyMs) + everyMs * (0.5 + random())
      const [method, sentAt] = [random() < 0.5 ? 'POST' : 'GET', performance.now()] as const
      const why = await client.send(method)
      requests++
      if (why !== 'ok') failures.push({ method, why, sentAt, failedAt: performance.now() })
    }
  }
  const work = Promise.all(clients.map(lane))
  return {
    failures,
    requests: () => requests,
    stop: async () => {
      over = true
      await work
    },
  }
}
