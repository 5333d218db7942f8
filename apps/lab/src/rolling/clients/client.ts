/** What a request is. Its body is the same each time. */
export type Method = 'GET' | 'POST'

/** What came of a request: answered with 2xx, or what went wrong, e.g. `502` or `ECONNRESET`. */
export type Outcome = 'ok' | (string & {})

/** A client that sends one request at a time, and none of them twice. */
export interface Client {
  send(method: Method): Promise<Outcome>
  close(): void
}

/** Where requests go. */
export interface Targets {
  /** A proxy's port, or the ports of both instances. */
  readonly ports: readonly number[]
  readonly tls: boolean
}

/** The target of every request. */
export const path = '/work'

/** The body of a POST. */
export const body = '{"item":"tea"}'

/** How long an answer is waited for. */
export const answerWithinMs = 20_000

/** For so long a client looks for somebody who takes its connection; a request that was never written is not lost before. */
export const connectWithinMs = 10_000
