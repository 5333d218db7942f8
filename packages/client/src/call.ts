import type { Events } from '@hopwise/core'
import { anySignal, pause, timeoutError, untilAborted } from './abort.js'
import { attemptOnce, type Fetch, type Outcome } from './attempt.js'
import { isReplayable } from './body.js'
import { discard, discardPatience } from './discard.js'
import { answeredEvidence, noEvidence, verdictOf, type Evidence, type Verdict } from './evidence.js'
import type { CallInfo, ClientEvents } from './events.js'
import { identify } from './identity.js'
import { suspectAge } from './idle-limit.js'
import { createJudge, type Next } from './judge.js'
import { isIdempotent } from './methods.js'
import type { Settings } from './options.js'
import { readOrder, type ClientInit, type Order } from './order.js'
import { problemTypeOf } from './problem-type.js'
import { mostRedirects, redirectedFields, redirectOf } from './redirect.js'
import { RequestError } from './request-error.js'
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
  const order = identified(await readGiven(input, init), context.settings)
  const trip = new Trip(context, order)
  try {
    return await trip.follow(order)
  } finally {
    trip.settle()
  }
}

/** Reads the order; a signal is obeyed also while the body of a Request is read. */
async function readGiven(input: string | URL | Request, init: ClientInit | undefined): Promise<Order> {
  const given = init?.signal === undefined && input instanceof Request ? input.signal : init?.signal
  const signal = given ?? undefined
  try {
    return await (signal === undefined ? readOrder(input, init) : untilAborted(readOrder(input, init), signal))
  } catch (error) {
    if (signal?.aborted !== true) throw error
    const evidence = { ...noEvidence, sent: false, aborted: true }
    const about = { method: init?.method ?? (input instanceof Request ? input.method : 'GET'), origin: new URL(input instanceof Request ? input.url : String(input)).origin }
    throw new RequestError({ verdict: 'aborted', evidence, attempts: 0, budgetSpent: false, ...about, cause: error, name: nameOf(error, 'AbortError') })
  }
}

function identified(order: Order, settings: Settings): Order {
  const { add } = identify(order.method, order.url, (name) => order.headers.get(name), settings)
  for (const [name, value] of add) order.headers.set(name, value)
  return order
}

/** The state of one call: its deadline, and what was done so far. */
class Trip {
  readonly #context: CallContext
  readonly #deadline: AbortController | undefined
  readonly #endsAt: number
  readonly #cancelDeadline: () => void
  readonly #requestId: string
  #attempts = 0
  #evidence: Evidence = noEvidence
  /** Whether a response's body is still to be read, within the deadline. */
  #reading = false

  constructor(context: CallContext, order: Order) {
    const { deadline, clock, requestIdField } = context.settings
    this.#context = context
    this.#requestId = order.headers.get(requestIdField) ?? ''
    this.#endsAt = clock.now() + deadline
    const controller = deadline === Infinity ? undefined : new AbortController()
    this.#deadline = controller
    this.#cancelDeadline = controller === undefined ? () => {} : clock.after(deadline, () => controller.abort(timeoutError('deadline', deadline)), true)
  }

  /** The call is over, but for the body of its response. */
  settle(): void {
    if (!this.#reading) this.#cancelDeadline()
  }

  /** Sends the order, and those that redirects make of it. */
  async follow(first: Order): Promise<Response> {
    const { keyField, requestIdField, clock } = this.#context.settings
    let order = first
    for (let redirects = 0; ; redirects += 1) {
      const response = await this.#exchange(order)
      if (order.redirect === 'follow' && response.type === 'opaqueredirect') throw this.#error(order, 'response-started', this.#evidence, new Error('a redirect of a request with a key, and the browser does not show where to'))
      const redirected = order.redirect === 'follow' ? redirectOf(response.status, response.headers.get('location'), order.url, order.method) : undefined
      if (redirected === undefined) return this.#handOver(response, redirects > 0)
      if (redirects === mostRedirects) throw this.#error(order, 'response-started', this.#evidence, new Error(`more than ${mostRedirects} redirects`))
      if (!redirected.withoutBody && !isReplayable(order.body)) return this.#handOver(response, redirects > 0)
      await discard(response, discardPatience, clock)
      const headers = redirectedFields(order.headers, redirected, keyField, [requestIdField, 'traceparent', 'tracestate'])
      order = { ...order, ...redirected, headers, body: redirected.withoutBody ? { kind: 'none' } : order.body }
    }
  }

  #handOver(response: Response, redirected: boolean): Response {
    this.#reading = response.body !== null
    if (redirected) Object.defineProperty(response, 'redirected', { value: true, configurable: true })
    return response
  }

  async #exchange(order: Order): Promise<Response> {
    const { settings, runtime, fetch, events } = this.#context
    const { origin } = order.url
    const info: CallInfo = { method: order.method, origin, requestId: this.#requestId }
    const repeatable = isIdempotent(order.method) || (order.headers.get(settings.keyField) ?? '') !== ''
    const judge = createJudge(settings.judge, { origin, repeatable, replayable: isReplayable(order.body) })
    let lost = false
    for (;;) {
      events.emit('attempt', () => ({ ...info, resendCount: this.#attempts }))
      this.#attempts += 1
      const outcome = await attemptOnce(order, { settings, runtime, fetch, deadline: this.#deadline?.signal, repeatable, fresh: lost })
      if (outcome.kind === 'failure') {
        this.#evidence = outcome.evidence
        const { verdict, next } = judge.failed(outcome.evidence, outcome.permanent, this.#remaining())
        if (verdict === 'stale-reuse' && outcome.idleAge !== undefined) settings.idle.foundDead(origin, outcome.idleAge)
        // A stream that was refused lost no connection.
        lost ||= verdict !== 'refused'
        if (next.kind === 'done') {
          if (next.budgetSpent) events.emit('budgetSpent', () => ({ ...info, verdict }))
          throw this.#error(order, verdict, outcome.evidence, outcome.error, next.budgetSpent)
        }
        events.emit('retry', () => ({ ...info, why: next.why, delay: next.delay, verdict }))
        await this.#before(next, order, undefined)
        if (verdict === 'stale-reuse') runtime.watch?.closeIdle(origin, suspectAge(outcome.idleAge, next.fresh))
      } else {
        const { status, headers } = outcome.response
        this.#evidence = answeredEvidence
        const problem = judge.asksForProblem(status, headers.get('content-type')) ? await problemTypeOf(outcome.response) : undefined
        const next = judge.answered(status, retryAfterOf(headers.get('retry-after'), settings.clock.wall()), problem, this.#remaining())
        if (next.kind === 'done') {
          if (next.budgetSpent) events.emit('budgetSpent', () => ({ ...info, status }))
          return outcome.response
        }
        events.emit('retry', () => ({ ...info, why: next.why, delay: next.delay, status }))
        await this.#before(next, order, outcome)
      }
    }
  }

  /** Waits as long as is due, and makes ready for the next attempt. */
  async #before(next: Next & { kind: 'send' }, order: Order, answered: (Outcome & { kind: 'response' }) | undefined): Promise<void> {
    const { clock } = this.#context.settings
    const signal = anySignal([order.signal, this.#deadline?.signal])
    const discarding = answered === undefined ? undefined : discard(answered.response, next.delay + discardPatience, clock)
    try {
      if (next.delay > 0) await pause(next.delay, signal, clock)
      if (discarding !== undefined) await (signal === undefined ? discarding : untilAborted(discarding, signal))
    } catch (error) {
      const evidence = { ...this.#evidence, aborted: order.signal?.aborted === true }
      throw this.#error(order, verdictOf(evidence), evidence, error)
    } finally {
      answered?.abandon()
    }
  }

  #remaining(): number {
    return this.#endsAt - this.#context.settings.clock.now()
  }

  #error(order: Order, verdict: Verdict, evidence: Evidence, cause: unknown, budgetSpent = false): RequestError {
    const { method, url: { origin } } = order
    const attempts = this.#attempts
    this.#context.events.emit('failed', () => ({ method, origin, requestId: this.#requestId, verdict, evidence, attempts, budgetSpent }))
    const name = verdict === 'aborted' ? nameOf(cause, 'AbortError') : nameOf(cause, '') === 'TimeoutError' ? 'TimeoutError' : undefined
    return new RequestError({ verdict, evidence, attempts, budgetSpent, method, origin, cause, ...(name !== undefined && { name }) })
  }
}

function nameOf(error: unknown, otherwise: string): string {
  return error instanceof Error || error instanceof DOMException ? error.name : otherwise
}
