import type { Certificate } from '../self-signed.js'

/** What the server of one case is started with. */
export interface MatrixOptions {
  readonly server: string
  readonly protocol: Protocol
  readonly deadlineMs: number
  readonly tls: Certificate
}

/** `'h2c'` is HTTP/2 without TLS. */
export type Protocol = 'http/1.1' | 'h2c' | 'h2'

/** What the server tells. */
export type FromServer =
  | { readonly kind: 'listening'; readonly port: number }
  /** A handler has begun. */
  | { readonly kind: 'began' }
  /** From now on the event loop is blocked. */
  | { readonly kind: 'blocked' }

/** What the server is told: to block its event loop, and then to stop in the same turn. */
export interface ToServer {
  readonly kind: 'block-then-stop'
  readonly milliseconds: number
}
