import type { Method } from './cases.js'
import { isHopwise } from './clients/registry.js'
import type { RetryRow } from './row.js'
import { tellsOfConnections } from './runtimes.js'

/** What is right for a request: how often the server may see it, and what comes of it. */
interface Right {
  readonly saw: number
  /** `'error'`: any. */
  readonly outcome: 'error' | `status ${number}`
  /** No sooner, in milliseconds. */
  readonly from?: number
}

const lostOnce: Right = { saw: 1, outcome: 'error' }
const repaired: Right = { saw: 2, outcome: 'status 200' }
const answered: Right = { saw: 1, outcome: 'status 200' }

/** For requests that may be repeated (an idempotent method, or a key), and for a POST without a key. */
interface Rights {
  readonly repeatable: Right
  readonly post: Right
}

const rights: Readonly<Record<string, Rights>> = {
  reusefin: { repeatable: repaired, post: lostOnce },
  reuserst: { repeatable: repaired, post: lostOnce },
  // Lost on every connection: by policy only, which has three attempts.
  freshfin: { repeatable: { saw: 3, outcome: 'error' }, post: lostOnce },
  freshrst: { repeatable: { saw: 3, outcome: 'error' }, post: lostOnce },
  refused: { repeatable: { saw: 0, outcome: 'error' }, post: { saw: 0, outcome: 'error' } },
  midheaders: { repeatable: lostOnce, post: lostOnce },
  midbody: { repeatable: lostOnce, post: lostOnce },
  blackhole: { repeatable: repaired, post: lostOnce },
  s503: { repeatable: { ...repaired, from: 1_000 }, post: { saw: 1, outcome: 'status 503' } },
  s500: { repeatable: { saw: 1, outcome: 'status 500' }, post: { saw: 1, outcome: 'status 500' } },
  // The server says that it did not begin: any request may be sent again.
  'goaway-above': { repeatable: repaired, post: repaired },
  'refused-stream': { repeatable: repaired, post: repaired },
  'goaway-calm': { repeatable: repaired, post: repaired },
  'goaway-two-step-above': { repeatable: repaired, post: repaired },
  'goaway-at': { repeatable: repaired, post: lostOnce },
  'goaway-error': { repeatable: repaired, post: lostOnce },
  // Nothing is lost.
  'goaway-two-step': { repeatable: answered, post: answered },
  'goaway-idle': { repeatable: answered, post: answered },
}

const maybeServed: Rights = { repeatable: repaired, post: lostOnce }
const withoutIds: Readonly<Record<string, Rights>> = { 'goaway-above': maybeServed, 'goaway-calm': maybeServed, 'goaway-two-step-above': maybeServed }

/**
 * Bun and Deno do not tell what became of a connection: neither that a response had begun (their own fetch sends such a GET again as
 * well), nor, but for a refused stream, that the server did not begin. What may be repeated is repeated then, and what may not is not.
 */
const rightsUntold: Readonly<Record<string, Rights>> = { ...withoutIds, midheaders: maybeServed }

/** undici 6 and 7 do not tell which id a GOAWAY named, and give the whole session up at the first one. */
const rightsOfOldUndici: Readonly<Record<string, Rights>> = { ...withoutIds, 'goaway-two-step': maybeServed }

function rightOf({ client, runtime, case: name, method }: RetryRow): Right | undefined {
  const untold = !tellsOfConnections(runtime) ? rightsUntold : client === 'hopwise-undici6' || client === 'hopwise-undici7' ? rightsOfOldUndici : {}
  return (untold[name] ?? rights[name])?.[method === ('POST' satisfies Method) ? 'post' : 'repeatable']
}

/**
 * What is wrong with a row, in a sentence; `undefined` where nothing is. The demands are on Hopwise; on its peers there is only
 * this, that their case could be set up.
 */
export function unmetDemand(row: RetryRow): string | undefined {
  const { client, runtime, case: name, method, serverSaw, outcome, ms } = row
  const what = `${client} on ${runtime}: ${method} ${name}: the server saw it ${serverSaw} times, ${outcome}, ${ms} ms`
  if (outcome === 'ERR SETUP') return `${what}; it never came on a connection that was used before`
  const right = isHopwise(client) ? rightOf(row) : undefined
  if (right === undefined) return undefined
  const isRight = serverSaw === right.saw && (right.outcome === 'error' ? outcome.startsWith('ERR ') && !outcome.includes('TIMEOUT') : outcome === right.outcome) && ms >= (right.from ?? 0)
  return isRight ? undefined : `${what}; right is ${right.saw} times, ${right.outcome}${right.from === undefined ? '' : `, after ${right.from} ms`}`
}
