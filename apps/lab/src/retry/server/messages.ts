import type { Certificate } from '../../self-signed.js'
import type { Fault } from '../faults.js'

/** What the fault server is started with. */
export interface FaultServerOptions {
  readonly tls: Certificate
}

/** A listener of its own, so that no client has a connection to it from before. A request's path is `/<label>/<id>`. */
export interface SiteOptions {
  readonly protocol: 'http/1.1' | 'h2'
  /** What is done to requests of a label; those of any other are answered. */
  readonly faults: Readonly<Record<string, Fault>>
  /** How many requests `gather` waits for. */
  readonly gather?: number
}

/** What came to a site under one label. */
export interface Tally {
  /** How many requests came so often: `{ "1": 98, "2": 2 }`. */
  readonly saw: Readonly<Record<number, number>>
  /** How many of them came on a new connection first, where the fault needs a used one. */
  readonly unset: number
}

/** What the fault server is told. `end-idle`: GOAWAY on every session of an HTTP/2 site. */
export type ToFaultServer =
  | { readonly kind: 'open'; readonly site: number; readonly options: SiteOptions }
  | { readonly kind: 'end-idle'; readonly site: number }
  | { readonly kind: 'close'; readonly site: number }

/** What it tells. */
export type FromFaultServer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'opened'; readonly site: number; readonly port: number }
  | { readonly kind: 'idle-ended'; readonly site: number }
  | { readonly kind: 'closed'; readonly site: number; readonly tallies: Readonly<Record<string, Tally>> }
