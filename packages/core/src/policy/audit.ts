import { duration, formatDuration, type Duration } from '../duration.js'
import { edgesOf, outlasts, type Chain, type Edge } from './chain.js'
import type { Hop, IdleLimit } from './hop.js'

/** `'error'`: requests are lost or repeated; `'warning'`: nothing promises that they are not; `'note'`: harmless or to be told. */
export type Severity = 'error' | 'warning' | 'note'

/** The rules that {@link audit} checks. */
export type RuleId = 'idle-inversion' | 'idle-unlimited' | 'idle-unknown' | 'flow-forgotten' | 'replays-unsafe'

/** One thing that the audit found. */
export interface Finding {
  readonly rule: RuleId
  readonly severity: Severity
  /** The names of the hops, from the client's side. */
  readonly hops: readonly string[]
  /** What is wrong, with the figures. */
  readonly what: string
  /** Why it breaks. */
  readonly why: string
  /** How to mend it, in the product's own configuration where it has one. */
  readonly fix: string
}

/** Kept this long, an idle connection has practically always been closed by the other side: nothing is left to warn of. */
const longHeld = duration('1h')

/**
 * Checks each edge A → B of the chain: `A.upstream idle + margin < B.downstream idle`, and what A does with a request
 * that met a closing connection. An unknown figure is asked for, never guessed.
 */
export function audit(chain: Chain, margin: Duration): Finding[] {
  const edges = edgesOf(chain).filter((edge) => edge.from.upstream.idle !== 'none')
  return edges.flatMap((edge) => [...auditIdle(edge, margin), ...auditFlows(edge, margin), ...auditReplay(edge)])
}

function auditIdle({ from, to }: Edge, margin: Duration): Finding[] {
  const reused = from.upstream.idle
  const kept = to.downstream.idle
  // A hop that keeps nothing says `Connection: close` on each response: nothing idle is left to race with.
  if (kept === 'none') return []
  if (reused === 'unknown' || kept === 'unknown') return [unknownFigure(from, to)]
  if (outlasts(kept, reused, margin)) return []
  const what = `${from.name} reuses idle connections ${forHow(reused)}, ${to.name} keeps them ${forHow(kept)}`
  const shorten = shorterUpstream(from, kept, margin)
  if (reused === 'unlimited') {
    return [{
      rule: 'idle-unlimited',
      severity: typeof kept === 'number' && kept >= longHeld ? 'note' : 'warning',
      hops: [from.name, to.name],
      what,
      why: `Nothing ends an idle connection on ${from.name}'s side, so ${to.name} closes first whatever it is set to, and a request may meet the closing connection.`,
      fix: shorten === undefined
        ? `${from.name} has no setting for it: let ${to.name} keep idle connections for as long as it can.`
        : `Give ${from.name} a limit: ${shorten}`,
    }]
  }
  return [{
    rule: 'idle-inversion',
    severity: from.replay === 'everything' || from.replay === 'fresh-for-unsafe' ? 'note' : 'error',
    hops: [from.name, to.name],
    what: `${what} (a margin of ${formatDuration(margin)} is asked for)`,
    why: `${to.name} closes the connection at the moment in which ${from.name} may send on it; ${consequence[from.replay]}.`,
    fix: fixInversion(from, to, reused, shorten, margin),
  }]
}

const consequence: Readonly<Record<Hop['replay'], string>> = {
  none: 'the request is lost and the client gets a 502 or a closed connection',
  'idempotent-methods': 'GET is tried again, POST is lost as a 502',
  'fresh-for-unsafe': 'only requests that may be repeated meet it, and they are tried again',
  everything: 'every request is sent again, so nothing is lost (but see replays-unsafe)',
  unknown: 'whether the request is lost or sent again is not documented',
}

function auditFlows({ from, to, between }: Edge, margin: Duration): Finding[] {
  // Where the figure of `from` is not known, its edge to `to` has asked for it already.
  if (from.upstream.idle === 'unknown') return []
  return between.filter((flow) => !outlasts(flow.downstream.idle, from.upstream.idle, margin)).map((flow) => {
    if (flow.downstream.idle === 'unknown') return unknownFigure(from, flow)
    const shorten = shorterUpstream(from, flow.downstream.idle, margin)
    return {
      rule: 'flow-forgotten',
      severity: 'error',
      hops: [from.name, flow.name, to.name],
      what: `${from.name} reuses idle connections ${forHow(from.upstream.idle)}, ${flow.name} between it and ${to.name} remembers them ${forHow(flow.downstream.idle)}`,
      why: `${flow.name} forwards TCP and drops or resets a flow that it forgot, although both ends still hold the connection.`,
      fix: shorten === undefined ? `Raise the idle timeout of ${flow.name}.` : `Raise the idle timeout of ${flow.name}, or: ${shorten}`,
    }
  })
}

function auditReplay({ from, to }: Edge): Finding[] {
  if (from.replay !== 'everything') return []
  return [{
    rule: 'replays-unsafe',
    severity: 'error',
    hops: [from.name, to.name],
    what: `${from.name} sends every request again when the connection to ${to.name} dies, POST too`,
    why: 'A proxy must not repeat a request that is not idempotent (RFC 9110 9.2.2): what the server already did is done twice.',
    fix: `Protect POST on ${to.name} with Idempotency-Key, and restrict the retries of ${from.name} to idempotent methods.`,
  }]
}

function unknownFigure(from: Hop, to: Hop): Finding {
  const side = from.upstream.idle === 'unknown' ? `upstream side of ${from.name}` : `downstream side of ${to.name}`
  return {
    rule: 'idle-unknown',
    severity: 'warning',
    hops: [from.name, to.name],
    what: `the idle limit of the ${side} is not known`,
    why: 'No documented figure exists or none was given, so nothing can be said about this edge.',
    fix: `Look it up where ${from.upstream.idle === 'unknown' ? from.name : to.name} is configured and say it: { ${from.upstream.idle === 'unknown' ? 'upstream' : 'downstream'}: { idle: '<value>' } }`,
  }
}

function fixInversion(from: Hop, to: Hop, reused: IdleLimit, shorten: string | undefined, margin: Duration): string {
  const fixes: string[] = []
  if (to.configure.downstream !== undefined && typeof reused === 'number') {
    fixes.push(`${to.name}: ${to.configure.downstream(keepAtLeast(reused, margin))}`)
  }
  if (shorten !== undefined) fixes.push(`${from.name}: ${shorten}`)
  return fixes.length > 0 ? fixes.join(', or ') : `Let ${to.name} keep idle connections longer than ${from.name} reuses them.`
}

/** How `from` is told to reuse for less than `kept`; absent where it has no setting, or `kept` leaves no whole second. */
function shorterUpstream(from: Hop, kept: IdleLimit, margin: Duration): string | undefined {
  if (from.configure.upstream === undefined || typeof kept !== 'number' || kept <= margin + 1_000) return undefined
  return from.configure.upstream(Math.max(1_000, Math.floor((kept - margin - 1_000) / 1_000) * 1_000) as Duration)
}

/** The next multiple of 5 s that outlasts `reused` by more than `margin`: 60 s with 3 s → 65 s. */
export function keepAtLeast(reused: Duration, margin: Duration): Duration {
  return ((Math.floor((reused + margin) / 5_000) + 1) * 5_000) as Duration
}

function forHow(limit: IdleLimit): string {
  if (limit === 'unlimited') return 'without a limit'
  return limit === 'none' ? 'not at all' : `for ${typeof limit === 'number' ? formatDuration(limit) : 'an unknown time'}`
}
