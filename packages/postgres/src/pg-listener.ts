import type { Listener } from './query.js'

/** What is needed of a `Client` of the package `pg`. */
export interface PgListenerClient {
  connect(): Promise<unknown>
  query(text: string): Promise<unknown>
  end(): Promise<void>
  on(event: 'notification', listener: (message: { readonly channel: string; readonly payload?: string | undefined }) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'end', listener: () => void): unknown
}

/** Before each attempt to bring a lost connection back: at random up to twice as long as the one before, in milliseconds. */
const firstDelay = 100
const longestDelay = 5_000

/**
 * Listens on a connection of its own, which LISTEN needs (not through pgbouncer in transaction mode): one that is lost is
 * replaced by a new one.
 * @param create makes a new client, not yet connected
 *
 * @example
 * const store = postgresStore({ query: fromPg(pool), listen: pgListener(() => new Client(connectionString)) })
 */
export function pgListener(create: () => PgListenerClient): Listener {
  return {
    async listen(channel, notified, missed) {
      let stopped = false
      let current: PgListenerClient
      let stopWaiting = (): void => undefined

      const open = async (): Promise<PgListenerClient> => {
        const client = create()
        let lost = false
        let ready = false
        const lose = (): void => {
          if (lost) return
          lost = true
          // Before that, the caller of `open` hears it.
          if (ready && !stopped) void reopen()
        }
        client.on('error', lose)
        client.on('end', lose)
        client.on('notification', (message) => {
          if (message.channel === channel) notified(message.payload ?? '')
        })
        try {
          await client.connect()
          await client.query(`LISTEN "${channel.replaceAll('"', '""')}"`)
          if (lost) throw new Error('the connection was lost')
        } catch (error) {
          lost = true
          client.end().catch(() => undefined)
          throw error
        }
        ready = true
        return client
      }

      const reopen = async (): Promise<void> => {
        for (let delay = firstDelay; !stopped; delay = Math.min(2 * delay, longestDelay)) {
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, Math.random() * delay)
            stopWaiting = () => {
              clearTimeout(timer)
              resolve()
            }
          })
          if (stopped) return
          try {
            current = await open()
          } catch {
            continue
          }
          if (stopped) await current.end().catch(() => undefined)
          else missed()
          return
        }
      }

      current = await open()
      return async () => {
        stopped = true
        stopWaiting()
        await current.end().catch(() => undefined)
      }
    },
  }
}
