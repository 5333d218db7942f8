import { setTimeout as delay } from 'node:timers/promises'
import { rawConnect, requestText, type RawConnection } from '@hopwise/testkit/adapter'
import { onTestFinished } from 'vitest'

/** Clients that POST without pause over kept connections, and never retry. */
export interface Load {
  /** Who answered, by the bodies of the responses. */
  readonly answers: ReadonlyMap<string, number>
  /** Connections that were refused; nothing was sent on them. */
  readonly refused: number
  /** Requests that were sent and not answered with 200. */
  readonly failures: readonly string[]
  /** Resolves once so many more are answered. */
  more(count: number): Promise<void>
  /** Lets each client finish its request. */
  stop(): Promise<void>
}

/** Between two requests of a client: others have to run as well. */
const pauseMs = 2

/**
 * Starts it; ended with its test.
 * @param ports each client takes the next one, in turn
 * @param options `reconnect`: whether a client whose connection was closed opens another one. [true]
 */
export function keepAliveLoad(ports: readonly number[], clients: number, { reconnect = true }: { readonly reconnect?: boolean } = {}): Load {
  const answers = new Map<string, number>()
  const failures: string[] = []
  const waiting = new Set<{ left: number; readonly resolve: () => void }>()
  let refused = 0
  let stopped = false

  const answered = (by: string): void => {
    answers.set(by, (answers.get(by) ?? 0) + 1)
    for (const one of waiting) {
      if (--one.left > 0) continue
      waiting.delete(one)
      one.resolve()
    }
  }
  const request = requestText('POST', '/orders', { 'content-type': 'text/plain' }, 'one tea')
  /** Over one connection, until it is closed. */
  const over = async (connection: RawConnection): Promise<void> => {
    // One that the server has closed while nothing was on its way is no loss.
    while (!stopped && !connection.socket.readableEnded && !connection.socket.destroyed) {
      connection.write(request)
      const response = await connection.response()
      if (response.status === 200) answered(response.body.toString().trim())
      else failures.push(`status ${response.status}`)
      if (response.field('connection') === 'close') break
      await delay(pauseMs)
    }
  }
  const client = async (port: number): Promise<void> => {
    while (!stopped) {
      const connection = await rawConnect(port).catch(() => undefined)
      if (connection === undefined) {
        refused++
        await delay(pauseMs)
        continue
      }
      await over(connection).catch((error: unknown) => failures.push(String(error)))
      connection.destroy()
      if (!reconnect) return
    }
  }
  const running = Promise.all(Array.from({ length: clients }, (_, index) => client(ports[index % ports.length] ?? 0)))
  const stop = async (): Promise<void> => {
    stopped = true
    await running
  }
  onTestFinished(stop)
  return {
    answers,
    failures,
    get refused() {
      return refused
    },
    more: (count) => new Promise((resolve) => waiting.add({ left: count, resolve })),
    stop,
  }
}
