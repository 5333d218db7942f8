import { goaways, type GoawayFault } from './server/goaway.js'

/** What the fault server does to a request that it has read whole. */
export type Fault =
  /** Nothing: it is answered. */
  | 'none'
  /** On a connection that has carried a request before: the connection is closed, or reset. */
  | 'reusefin'
  | 'reuserst'
  /** The same, only the first time that the request comes; where it comes then, it is answered. */
  | 'onefin'
  | 'onerst'
  /** On any connection. */
  | 'freshfin'
  | 'freshrst'
  /** On a used connection: it is closed in the middle of the header, or of the body. */
  | 'midheaders'
  | 'midbody'
  /** On a used connection: no answer, and the connection stays open. */
  | 'blackhole'
  /** The first time: 503 with `Retry-After: 1`, or 500. */
  | 's503'
  | 's500'
  /** Always 503, without a time. */
  | 'down'
  /** Held until as many requests have come as the site says, each on a connection of its own. */
  | 'gather'
  /** HTTP/2, the first time: GOAWAY, as `goaway.ts` has it. */
  | GoawayFault
  /** HTTP/2, the first time: RST_STREAM with REFUSED_STREAM. */
  | 'refused-stream'

/** A request as the fault server counts it. */
export interface Arrival {
  /** Whether its connection has carried a request before. */
  readonly reused: boolean
  /** How often it has come before. */
  readonly before: number
}

const onUsed: readonly Fault[] = ['reusefin', 'reuserst', 'midheaders', 'midbody', 'blackhole']
const onceOnUsed: readonly Fault[] = ['onefin', 'onerst']
const once: readonly Fault[] = ['s503', 's500', 'refused-stream']
// A GOAWAY below the first stream of a connection would be one of a connection that served nothing.
const onceOnUsedStream = Object.keys(goaways) as readonly GoawayFault[]

/** Whether this arrival meets the fault. */
export function meets(fault: Fault, { reused, before }: Arrival): boolean {
  if (fault === 'none') return false
  if (onUsed.includes(fault)) return reused
  if ([...onceOnUsed, ...onceOnUsedStream].includes(fault)) return reused && before === 0
  return once.includes(fault) ? before === 0 : true
}

/** Whether the fault can only be met on a used connection: where a request comes on a new one first, the case is not set up. */
export function wantsUsed(fault: Fault): boolean {
  return [...onUsed, ...onceOnUsed, ...onceOnUsedStream].includes(fault)
}
