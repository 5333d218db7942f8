/** The requests that are measured. */
export type Method = 'GET' | 'POST'

/** What a caller is told to do: so many calls, so many of them at a time. */
export interface RoundOrder {
  readonly kind: 'round'
  readonly method: Method
  readonly concurrency: number
  readonly calls: number
}

/** What it tells. */
export type FromCaller =
  | { readonly kind: 'ready' }
  /** Microseconds of the whole round: by the clock, and of this process's processor time, user and system. */
  | { readonly kind: 'measured'; readonly wallUs: number; readonly cpuUs: number }
  /** A call has failed, or was answered with something else. */
  | { readonly kind: 'failed'; readonly message: string }

/** What the server tells, once it listens. */
export interface FromServer {
  readonly kind: 'listening'
  readonly port: number
}

/** What a POST sends, and what every request is answered with. */
export const [sentBody, answerBody] = ['{"item":"tea","amount":2}', '{"id":17,"item":"tea","amount":2,"state":"open"}']
