import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { createClient, RequestError, type Client } from '@hopwise/client'

/** What a logical call is: an order with its reference, or a look at the orders. */
export interface CallOrder {
  readonly method: 'GET' | 'POST'
  readonly reference: string
}

/** What came of a call. */
export type Outcome =
  | { readonly kind: 'answered' }
  /** `begun`: an answer had begun to arrive, and nothing may be repeated any more. */
  | { readonly kind: 'failed'; readonly why: string; readonly begun: boolean }

/** A client that makes calls, and counts what it does about those that fail. */
export interface Caller {
  call(order: CallOrder): Promise<Outcome>
  /** Attempts beyond the first, by their cause: `repair stale-reuse`, `policy 502`, … */
  readonly again: ReadonlyMap<string, number>
}

/** The field by which the relay and the events know a logical call. */
export const callField = 'x-request-id'

/** Longer than an instance takes to come back. */
const deadline = '15s'

/** Callers by name, made for an origin. */
export const callers = { hopwise: hopwiseCaller, naive: naiveCaller } as const satisfies Readonly<Record<string, (origin: string) => Caller>>

/** The name of a caller. */
export type CallerName = keyof typeof callers

function hopwiseCaller(origin: string): Caller {
  const client: Client = createClient({ trustedOrigins: [origin], deadline })
  const again = new Map<string, number>()
  // Why a call was sent again so far: one that is given up with fewer retries by policy than there may be had no budget left.
  const causes = new Map<string, string[]>()
  client.on('retry', ({ requestId, why, verdict, status }) => {
    const cause = `${why} ${verdict ?? status}`
    count(again, cause)
    causes.set(requestId, [...(causes.get(requestId) ?? []), cause])
  })
  const call = async (order: CallOrder): Promise<Outcome> => {
    const outcome = await judged(client, origin, order, {})
    const before = causes.get(order.reference) ?? ['nothing']
    causes.delete(order.reference)
    return outcome.kind === 'failed' && !outcome.begun ? { ...outcome, why: `${outcome.why} after ${before.join(' and ')}` } : outcome
  }
  return { again, call }
}

/** A loop around fetch as it is often written: what fails is sent again, and each time as a new request. */
function naiveCaller(origin: string): Caller {
  const [attempts, pauseMs] = [5, 100]
  const again = new Map<string, number>()
  return {
    again,
    call: async (order) => {
      for (let attempt = 1; ; attempt++) {
        const outcome = await judged(fetch, origin, order, { 'idempotency-key': randomUUID() })
        if (outcome.kind === 'answered' || attempt === attempts) return outcome
        count(again, `loop ${outcome.why}`)
        await wait(pauseMs * attempt)
      }
    },
  }
}

async function judged(send: typeof fetch | Client, origin: string, { method, reference }: CallOrder, fields: Record<string, string>): Promise<Outcome> {
  const headers = { ...fields, [callField]: reference }
  const init = method === 'GET' ? { headers } : { method, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify({ reference }) }
  let begun = false
  try {
    const response = await send(`${origin}/orders`, init)
    begun = true
    const body = await response.text()
    const right = method === 'GET' ? response.status === 200 : response.status === 201 && body === JSON.stringify({ reference })
    return right ? { kind: 'answered' } : { kind: 'failed', why: `status ${response.status}${response.ok ? ' with another body' : ''}`, begun: false }
  } catch (error) {
    if (begun) return { kind: 'failed', why: 'body broke off', begun }
    if (error instanceof RequestError) return { kind: 'failed', why: error.verdict, begun: error.verdict === 'response-started' }
    return { kind: 'failed', why: codeOf(error), begun }
  }
}

function codeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause ? String(cause.code) : String(error)
}

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1)
}
