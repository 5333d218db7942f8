import type { Events } from '@hopwise/core'
import { pause, timeoutError, untilAnyAborted } from './abort.js'
import { attemptOnce, type Fetch, type Outcome } from './attempt.js'
import { isReplayable } from './body.js'
import { discard, discardPatience } from './discard.js'
import { answeredEvidence, nothingSent, overall, verdictOf } from './evidence.js'
import type { CallInfo, ClientEvents } from './events.js'
import { identify } from './identity.js'
import { suspectAge } from './idle-limit.js'
import { createJudge, type Next } from './judge.js'
import { isIdempotent } from './methods.js'
import type { Settings } from './options.js'
import { readOrder, urlOf, type ClientInit, type Order } from './order.js'
import { problemTypeOf } from './problem-type.js'
import { mostRedirects, redirectedFields, redirectOf, type Redirected } from './redirect.js'
import { nameOf, RequestError } from './request-error.js'
import { retryAfterOf } from './retry-after.js'
import type { Runtime } from './runtime.js'

/** What every call of a client shares. */
export interface CallContext {
  readonly settings: Settings
  readonly runtime: Runtime
  readonly fetch: Fetch
  readonly events: Events<ClientEvents>
}

/** One call with its attempts and redirects, from its order to its response. */
export async function callOnce(input: string | URL | Request, init: ClientInit | undefined, context: CallContext): Promise<Response> {
  const trip = new Trip(context)
  let order: Order | undefined
  try {
    order = await trip.read(input, init)
    return await trip.follow(order)
  } catch (error) {
    if (order?.body.kind === 'once') order.body.drop()
    throw error
  } finally {
    trip.settle()
  }
}

const traceFields = ['traceparent', 'tracestate', 'baggage']

type Target = Pick<Order, 'method' | 'url'>
type Answered = Outcome & { readonly kind: 'response' }

/** The state of one call: its deadline, and what was done so far. */
class Trip {
  readonly #context: CallContext
  readonly #deadline: AbortController | undefined
  readonly #endsAt: number
  readonly #cancelDeadline: () => void
  #requestId = ''
  #attempts = 0
  /** Of all attempts so far. */
  #evidence = nothingSent
  /** What the response was of that was handed over: its body is still to be read, within the deadline. */
  #handedOver: Target | undefined

  constructor(context: CallContext) {
    const { deadline, clock } = context.settings
    this.#context = context
    this.#endsAt = clock.now() + deadline
    const controller = deadline === Infinity ? undefined : new AbortController()
    this.#deadline = controller
    this.#cancelDeadline = controller === undefined ? () => {} : clock.after(deadline, () => controller.abort(this.#overdue(timeoutError('deadline', deadline))), true)
  }

  /** The call is over, but for the body of its response. */
  settle(): void {
    if (this.#handedOver === undefined) this.#cancelDeadline()
  }

  /** Reads what was ordered. The deadline holds, and a signal is obeyed, also while the body of a Request is read. */
  async read(input: string | URL | Request, init: ClientInit | undefined): Promise<Order> {
    const given = (init?.signal === undefined && input instanceof Request ? input.signal : init?.signal) ?? undefined
    const deadline = this.#deadline?.signal
    const signals = [given, deadline]
    const order = await untilAnyAborted(readOrder(input, init, signals), signals).catch((error: unknown) => {
      if (given?.aborted !== true && deadline?.aborted !== true) throw error
      const method = init?.method ?? (input instanceof Request ? input.method : 'GET')
      throw this.#givenUp({ method, url: urlOf(input), signal: given }, error)
    })
    const { add, requestId } = identify(order.method, order.url, (name) => order.headers.get(name), this.#context.settings)
    for (const [name, value] of add) order.headers.set(name, value)
    this.#requestId = requestId
    return order
  }

  /** Sends the order, and those that redirects make of it. */
  async follow(first: Order): Promise<Response> {
    const { keyField, requestIdField, trusted, clock } = this.#context.settings
    let order = first
    for (let redirects = 0; ; redirects += 1) {
      const outcome = await this.#exchange(order)
      const { response } = outcome
      const redirected = this.#redirectOf(order, outcome, redirects)
      if (redirected === undefined || (!redirected.withoutBody && !isReplayable(order.body))) return this.#handOver(order, outcome, redirects > 0)
      await this.#unlessGivenUp(order, discard(response, discardPatience, clock))
      const headers = redirectedFields(order.headers, redirected, keyField, [requestIdField, ...(trusted.has(redirected.url.origin) ? traceFields : [])])
      order = { ...order, ...redirected, headers, body: redirected.withoutBody ? { kind: 'none' } : order.body }
    }
  }

  /** Where a response leads to, if the client is to follow it. */
  #redirectOf(order: Order, { response, abandon }: Answered, redirects: number): Redirected | undefined {
    if (order.redirect !== 'follow') return undefined
    try {
      if (response.type === 'opaqueredirect') throw new Error('a redirect of a request with a key, and the browser does not show where to')
      const redirected = redirectOf(response.status, response.headers.get('location'), order.url, order.method)
      if (redirected !== undefined && redirects === mostRedirects) throw new Error(`more than ${mostRedirects} redirects`)
      return redirected
    } catch (error) {
      abandon()
      throw this.#error(order, error)
    }
  }

  #handOver({ method, url }: Target, { response, whenReceived }: Answered, redirected: boolean): Response {
    this.#handedOver = { method, url }
    whenReceived(this.#cancelDeadline)
    if (redirected) Object.defineProperty(response, 'redirected', { value: true, configurable: true })
    return response
  }

  async #exchange(order: Order): Promise<Answered> {
    const { settings, runtime, events } = this.#context
    const { origin } = order.url
    const info: CallInfo = { method: order.method, origin, requestId: this.#requestId }
    const repeatable = isIdempotent(order.method) || (order.headers.get(settings.keyField) ?? '') !== ''
    const { body } = order
    const judge = createJudge(settings.judge, { origin, repeatable, replayable: isReplayable(body), isWhole: () => body.kind === 'once' && body.isWhole })
    let lost = false
    for (;;) {
      events.emit('attempt', () => ({ ...info, resendCount: this.#attempts }))
      this.#attempts += 1
      const outcome = await attemptOnce(order, { ...this.#context, deadline: this.#deadline?.signal, repeatable, fresh: lost })
      if (outcome.kind === 'failure') {
        this.#evidence = overall(this.#evidence, outcome.evidence)
        const { verdict, next } = judge.failed(outcome.evidence, outcome.permanent, this.#remaining())
        if (verdict === 'stale-reuse' && outcome.idleAge !== undefined) settings.idle.foundDead(origin, outcome.idleAge)
        // A stream that was refused lost no connection.
        lost ||= verdict !== 'refused'
        if (next.kind === 'done') {
          if (next.budgetSpent) events.emit('budgetSpent', () => ({ ...info, verdict }))
          throw this.#error(order, outcome.error, next.budgetSpent)
        }
        events.emit('retry', () => ({ ...info, why: next.why, delay: next.delay, verdict }))
        await this.#before(next, order, undefined)
        if (verdict === 'stale-reuse') runtime.watch?.closeIdle(origin, suspectAge(outcome.idleAge, next.fresh))
      } else {
        const { status, headers } = outcome.response
        this.#evidence = answeredEvidence
        const asks = judge.asksForProblem(status, headers.get('content-type'))
        const problem = asks ? await this.#unlessGivenUp(order, problemTypeOf(outcome.response, discardPatience, settings.clock)) : undefined
        const next = judge.answered(status, retryAfterOf(headers.get('retry-after'), settings.clock.wall()), problem, this.#remaining())
        if (next.kind === 'done') {
          if (next.budgetSpent) events.emit('budgetSpent', () => ({ ...info, status }))
          return outcome
        }
        events.emit('retry', () => ({ ...info, why: next.why, delay: next.delay, status }))
        await this.#before(next, order, outcome)
      }
    }
  }

  /** Waits as long as is due, and makes ready for the next attempt. */
  async #before(next: Next & { kind: 'send' }, order: Order, answered: Answered | undefined): Promise<void> {
    const { clock } = this.#context.settings
    const discarding = answered === undefined ? undefined : discard(answered.response, next.delay + discardPatience, clock)
    try {
      if (next.delay > 0) await this.#unlessGivenUp(order, pause(next.delay, [order.signal, this.#deadline?.signal], clock))
      if (discarding !== undefined) await this.#unlessGivenUp(order, discarding)
    } finally {
      answered?.abandon()
    }
  }

  /** What `promise` gives; the call has failed once its caller has given up, or its deadline is over. */
  async #unlessGivenUp<T>(order: Order, promise: Promise<T>): Promise<T> {
    try {
      return await untilAnyAborted(promise, [order.signal, this.#deadline?.signal])
    } catch (error) {
      throw this.#givenUp(order, error)
    }
  }

  #givenUp(order: Target & Pick<Order, 'signal'>, reason: unknown): RequestError {
    this.#evidence = { ...this.#evidence, aborted: order.signal?.aborted === true }
    return this.#error(order, reason)
  }

  /** What ends at the deadline: the call, or what is left of a response that was handed over. Not every runtime tells whether it is. */
  #overdue(reason: Error): Error {
    return this.#handedOver === undefined ? reason : this.#errorOf(this.#handedOver, reason)
  }

  #remaining(): number {
    return this.#endsAt - this.#context.settings.clock.now()
  }

  /** The call has failed. */
  #error(target: Target, cause: unknown, budgetSpent = false): RequestError {
    const error = this.#errorOf(target, cause, budgetSpent)
    const [attempts, evidence] = [this.#attempts, this.#evidence]
    this.#context.events.emit('failed', () => ({ method: target.method, origin: target.url.origin, requestId: this.#requestId, verdict: error.verdict, evidence, attempts, budgetSpent }))
    return error
  }

  /** The error of the call, which says what is known of all of its attempts. */
  #errorOf({ method, url: { origin } }: Target, cause: unknown, budgetSpent = false): RequestError {
    const [attempts, evidence] = [this.#attempts, this.#evidence]
    const verdict = verdictOf(evidence)
    const name = verdict === 'aborted' ? nameOf(cause, 'AbortError') : nameOf(cause, '') === 'TimeoutError' ? 'TimeoutError' : undefined
    return new RequestError({ verdict, evidence, attempts, budgetSpent, method, origin, cause, ...(name !== undefined && { name }) })
  }
}
