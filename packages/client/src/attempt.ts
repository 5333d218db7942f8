import { untilAborted } from './abort.js'
import { asStream, freezeBody, noForm, withType, type FrozenBody } from './body.js'
import { noEvidence, type Evidence } from './evidence.js'
import { follow, followAlways } from './follower.js'
import type { FreshConnection } from './fresh-connection.js'
import type { Settings } from './options.js'
import type { OnceBody } from './once-body.js'
import type { Order } from './order.js'
import { isPermanent, isRefusal } from './request-error.js'
import type { Runtime } from './runtime.js'
import { newAttempt, whenEnded, type Attempt } from './watch/attempt.js'
import { limitFirstByte } from './watch/first-byte.js'

/** The fetch that is wrapped. */
export type Fetch = (input: string, init: RequestInit) => Promise<Response>

/** What one attempt came to. */
export type Outcome =
  | { readonly kind: 'response'; readonly response: Response; readonly abandon: () => void; readonly whenReceived: (callback: () => void) => void }
  | { readonly kind: 'failure'; readonly error: unknown; readonly evidence: Evidence; readonly permanent: boolean; readonly idleAge: number | undefined }

/** What an attempt needs besides its order. */
export interface AttemptContext {
  readonly settings: Settings
  readonly runtime: Runtime
  readonly fetch: Fetch
  /** Ends when the deadline of the call is over. */
  readonly deadline: AbortSignal | undefined
  /** An idempotent method, or a request with an Idempotency-Key. */
  readonly repeatable: boolean
  /** Whether an attempt of this call was lost: the next ones keep off pooled connections, where the runtime can be asked for that. */
  readonly fresh: boolean
}

/** Sends an order once. Never throws: what went wrong is the outcome, with its evidence. */
export async function attemptOnce(order: Order, context: AttemptContext): Promise<Outcome> {
  const { settings, runtime, fetch, deadline, repeatable, fresh } = context
  const { origin } = order.url
  const own = (runtime.watch === undefined ? followAlways : follow)([order.signal, deadline])
  const { signal } = own
  const attempt = newAttempt(origin, order.method, () => settings.idle.limitOf(origin))
  const cancelTimer = limitFirstByte(attempt, settings, (error) => own.abort(error))
  let given = false
  let connection: FreshConnection | undefined
  let made: OnceBody | undefined
  const send = async (): Promise<Response> => {
    const frozen = order.body.kind === 'made' ? await freezeBody(noForm(await order.body.make())) : order.body
    if (frozen !== order.body && frozen.kind === 'once') made = frozen
    // Nothing may leave once the caller has given up, also where making the body took its time; and nobody would release a connection then.
    if (signal.aborted) made?.end()
    signal.throwIfAborted()
    if (frozen.kind === 'once') attempt.atOnce = 0
    const body = bodyFor(frozen, runtime, runtime.resendsBytes && !repeatable)
    connection = fresh ? runtime.freshConnection?.() : undefined
    const init = { ...connection?.init, ...order.rest, method: order.method, headers: withType(order.headers, frozen), redirect: innerRedirect(order, runtime, settings.keyField), signal, ...body }
    given = true
    const start = (): Promise<Response> => fetch(order.url.href, init as RequestInit)
    // What making the body has sent is no part of the attempt.
    return runtime.watch === undefined ? start() : runtime.watch.run(attempt, start)
  }
  try {
    const response = await untilAborted(send(), signal)
    const whenReceived = onReceived(response, attempt, runtime)
    whenReceived(own.release)
    return { kind: 'response', response, abandon: () => own.abort(), whenReceived }
  } catch (error) {
    own.release()
    made?.end()
    return failure(attempt, error, order, context, given)
  } finally {
    cancelTimer()
    connection?.release()
    attempt.over = true
  }
}

/** Calls back once nothing more is to come of a response, or its body is nobody's any more; never where the runtime tells nothing. */
function onReceived({ body }: Response, attempt: Attempt, { watch }: Runtime): (callback: () => void) => void {
  return (callback) => {
    if (!body) callback()
    else if (attempt.requests > 0) whenEnded(attempt, callback)
    // A fetch that is not undici's.
    else if (watch !== undefined) unseenBodies().register(body, callback)
  }
}

let unseen: FinalizationRegistry<() => void> | undefined

/** Not every runtime has such a registry; and made in the scope of a call, it would keep the body of that. */
function unseenBodies(): FinalizationRegistry<() => void> {
  unseen ??= new FinalizationRegistry((callback) => callback())
  return unseen
}

/** How browsers, and fetches made like theirs, say that the network failed. */
const networkErrors = /^(?:Failed to fetch|fetch failed|Load failed|NetworkError|Network request failed)/

function failure(attempt: Attempt, error: unknown, { signal }: Order, { runtime: { watch } }: AttemptContext, given: boolean): Outcome {
  const aborted = signal?.aborted === true
  const seen = watch === undefined ? { ...noEvidence, refused: isRefusal(error), aborted } : watch.evidence(attempt, error, aborted)
  const evidence = given ? seen : { ...seen, sent: false }
  // What fails before the runtime has it is the caller's own: getBody, say. Node's fetch tells mistakes in its arguments by a TypeError
  // without a cause, before there is a request; so does another fetch that the network has failed.
  const mistake = !given || (watch !== undefined && attempt.requests === 0 && error instanceof TypeError && error.cause === undefined && !networkErrors.test(error.message))
  return { kind: 'failure', error, evidence, permanent: mistake || isPermanent(error), idleAge: attempt.idleAge }
}

/** The body of one attempt. `onlyStream`: the runtime would send bytes again by itself, and they must not be. */
function bodyFor(body: FrozenBody, { watch }: Runtime, onlyStream: boolean): { body?: unknown; duplex?: 'half' } {
  // Where nobody tells that nothing was sent, it is given once in any case.
  if (body.kind === 'once') return { body: watch === undefined ? body.source : body.open(), duplex: 'half' }
  if (onlyStream) return { body: asStream(body), duplex: 'half' }
  return body.kind === 'bytes' ? { body: body.value } : {}
}

/** Redirects are followed by the client, where it can see them: runtimes take the key along to other origins. */
function innerRedirect({ redirect, headers }: Order, { showsRedirects }: Runtime, keyField: string): Order['redirect'] {
  if (redirect !== 'follow' || showsRedirects) return redirect === 'follow' ? 'manual' : redirect
  return headers.has(keyField) ? 'manual' : 'follow'
}
