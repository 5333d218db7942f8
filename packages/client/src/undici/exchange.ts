import { timeoutError } from '../abort.js'
import { discardPatience } from '../discard.js'
import { answeredEvidence, nothingSent, overall, verdictOf, type Evidence } from '../evidence.js'
import type { Identity } from '../identity.js'
import { suspectAge } from '../idle-limit.js'
import { createJudge, type Judge, type Next } from '../judge.js'
import { isIdempotent } from '../methods.js'
import type { Settings } from '../options.js'
import { isPermanent, nameOf, RequestError } from '../request-error.js'
import { retryAfterOf } from '../retry-after.js'
import { newAttempt } from '../watch/attempt.js'
import { limitFirstByte } from '../watch/first-byte.js'
import type { Watch } from '../watch/watch.js'
import type { Events } from '@hopwise/core'
import type { CallInfo, ClientEvents } from '../events.js'
import { drop, evidenceOf, newDispatchAttempt, type DispatchAttempt } from './dispatch-attempt.js'

/** What every exchange of an interceptor shares. */
export interface ExchangeContext {
  readonly settings: Settings
  readonly watch: Watch | undefined
  readonly events: Events<ClientEvents>
}

/** What an exchange needs of the two handlers that it stands between. */
export interface ExchangeSides {
  /** Hands an attempt to the dispatcher beneath. What it tells goes to {@link Exchange.begun} and the rest, with this attempt. */
  dispatch(attempt: DispatchAttempt): boolean
  /** Tells the handler above that the call has failed. Called once, and nothing after it. */
  fail(error: unknown): void
}

/** What is to be done with a response: give it to the handler above, read it for nobody, or hold it until its body is known. */
export type Handling = 'forward' | 'swallow' | 'hold'

/** One call through the interceptor: its attempts, one after another, until there is something to hand over. */
export class Exchange {
  readonly #context: ExchangeContext
  readonly #sides: ExchangeSides
  readonly #judge: Judge
  readonly #info: CallInfo
  readonly #repeatable: boolean
  readonly #endsAt: number
  readonly #cancelDeadline: () => void
  #current: DispatchAttempt | undefined
  #attempts = 0
  /** Of all attempts so far; the judge goes by that of the last one alone. */
  #evidence: Evidence = nothingSent
  /** What comes after the response that is being read for nobody, and since when that is known. */
  #next: { readonly what: Next & { kind: 'send' }; readonly since: number; readonly cancelPatience: () => void } | undefined
  #cancelPause: (() => void) | undefined
  #over = false

  constructor(context: ExchangeContext, sides: ExchangeSides, call: { readonly method: string; readonly origin: string; readonly replayable: boolean; readonly identity: Identity }) {
    const { settings } = context
    const { method, origin, replayable, identity } = call
    this.#context = context
    this.#sides = sides
    this.#info = { method, origin, requestId: identity.requestId }
    this.#repeatable = isIdempotent(method) || identity.keyed
    this.#judge = createJudge(settings.judge, { origin, repeatable: this.#repeatable, replayable })
    this.#endsAt = settings.clock.now() + settings.deadline
    this.#cancelDeadline = settings.deadline === Infinity ? () => {} : settings.clock.after(settings.deadline, () => this.#end(timeoutError('deadline', settings.deadline), false), true)
  }

  get over(): boolean {
    return this.#over
  }

  /** Makes the next attempt. */
  send(): boolean {
    if (this.#over) return true
    const { settings, watch, events } = this.#context
    const { origin, method } = this.#info
    const record = newAttempt(origin, method, () => settings.idle.limitOf(origin))
    const attempt = newDispatchAttempt(record)
    attempt.cancelTimer = limitFirstByte(record, settings, (error) => this.#give(attempt, error))
    this.#current = attempt
    events.emit('attempt', () => ({ ...this.#info, resendCount: this.#attempts }))
    this.#attempts += 1
    const dispatch = (): boolean => this.#sides.dispatch(attempt)
    try {
      return watch === undefined ? dispatch() : watch.run(record, dispatch)
    } catch (error) {
      // A dispatcher tells its handler of an error; one that throws has not begun.
      this.failed(attempt, error)
      return true
    }
  }

  /**
   * The dispatcher is about to write the attempt. To abort it here keeps every byte back. Gives whether it goes on.
   * @param replays whether the dispatcher begins an attempt anew only where the server has refused it. undici 6 does so with every
   * request that was open when a GOAWAY came, the server's last id notwithstanding
   */
  begun(attempt: DispatchAttempt, abort: (reason?: unknown) => void, replays: 'refused-only' | 'anything'): boolean {
    attempt.begun += 1
    attempt.abort = abort
    // It is a stream, whose source may be slow.
    if (!attempt.replayable) attempt.record.atOnce = 0
    const mayRepeat = replays === 'refused-only' || (this.#repeatable && attempt.replayable)
    if (attempt.dropped || this.#over) abort(new Error('the call has ended'))
    else if (attempt.begun > 1 && !mayRepeat) abort(new Error('the connection died, and the request must not be sent twice'))
    else return true
    return false
  }

  /** The header of a response has come. */
  answered(attempt: DispatchAttempt, status: number, field: (name: string) => string | undefined): Handling {
    attempt.headSeen = true
    attempt.cancelTimer()
    if (this.#judge.asksForProblem(status, field('content-type'))) return 'hold'
    return this.#judged(attempt, status, field, undefined) ? 'swallow' : 'forward'
  }

  /** A response that was held is held no longer: `problemType` is known, or that there will be none. */
  settled(attempt: DispatchAttempt, status: number, field: (name: string) => string | undefined, problemType: string | undefined): Handling {
    return this.#judged(attempt, status, field, problemType) ? 'swallow' : 'forward'
  }

  #judged(attempt: DispatchAttempt, status: number, field: (name: string) => string | undefined, problemType: string | undefined): boolean {
    const next = this.#judge.answered(status, retryAfterOf(field('retry-after'), this.#context.settings.clock.wall()), problemType, this.#remaining())
    if (next.kind === 'done') {
      if (next.budgetSpent) this.#context.events.emit('budgetSpent', () => ({ ...this.#info, status }))
      return false
    }
    this.#evidence = answeredEvidence
    this.#context.events.emit('retry', () => ({ ...this.#info, why: next.why, delay: next.delay, status }))
    const { clock } = this.#context.settings
    // A body that trickles must not hold the next attempt up.
    const cancelPatience = clock.after(next.delay + discardPatience, () => attempt.abort?.(new Error('the response is not wanted')))
    this.#next = { what: next, since: clock.now(), cancelPatience }
    return true
  }

  /** Calls back where a body that is held takes too long. What it gives prevents that. */
  whenImpatient(callback: () => void): () => void {
    return this.#context.settings.clock.after(discardPatience, callback, true)
  }

  /** A response that nobody wants is over, in whatever way. */
  discarded(attempt: DispatchAttempt): void {
    drop(attempt)
    const next = this.#next
    this.#next = undefined
    if (next === undefined || this.#over) return
    next.cancelPatience()
    this.#later(next.what.delay - (this.#context.settings.clock.now() - next.since))
  }

  /** A response has been handed over whole. */
  completed(attempt: DispatchAttempt): void {
    attempt.record.over = true
    this.#over = true
    this.#cancelDeadline()
  }

  /** The attempt has failed; `permanent` where it would in the same way again. */
  failed(attempt: DispatchAttempt, error: unknown, permanent = isPermanent(error)): void {
    if (attempt.dropped || this.#over) return
    const evidence = this.#evidenceOf(attempt, error, false)
    drop(attempt)
    this.#evidence = overall(this.#evidence, evidence)
    const { verdict, next } = this.#judge.failed(evidence, permanent, this.#remaining())
    const { idle } = this.#context.settings
    if (verdict === 'stale-reuse' && attempt.record.idleAge !== undefined) idle.foundDead(this.#info.origin, attempt.record.idleAge)
    if (next.kind === 'done') {
      if (next.budgetSpent) this.#context.events.emit('budgetSpent', () => ({ ...this.#info, verdict }))
      return this.#fail(error, next.budgetSpent)
    }
    this.#context.events.emit('retry', () => ({ ...this.#info, why: next.why, delay: next.delay, verdict }))
    if (verdict === 'stale-reuse') this.#context.watch?.closeIdle(this.#info.origin, suspectAge(attempt.record.idleAge, next.fresh))
    this.#later(next.delay)
  }

  /** The handler above has given up. */
  abort(reason: unknown): void {
    this.#end(reason, true)
  }

  #end(reason: unknown, aborted: boolean): void {
    if (this.#over) return
    const attempt = this.#current
    const live = attempt !== undefined && !attempt.dropped
    this.#evidence = live ? overall(this.#evidence, this.#evidenceOf(attempt, reason, aborted)) : { ...this.#evidence, aborted }
    this.#cancelPause?.()
    this.#next?.cancelPatience()
    const error = reason ?? new Error('aborted')
    this.#fail(error)
    if (!live) return
    drop(attempt)
    attempt.abort?.(error)
  }

  /** Gives an attempt up that takes too long, and judges it. */
  #give(attempt: DispatchAttempt, reason: Error): void {
    this.failed(attempt, reason)
    attempt.abort?.(reason)
  }

  #later(delay: number): void {
    const send = (): void => {
      this.#cancelPause = undefined
      this.send()
    }
    if (delay > 0) this.#cancelPause = this.#context.settings.clock.after(delay, send)
    // Never within the callback of the attempt that has just failed: the dispatcher is still busy with it.
    else queueMicrotask(send)
  }

  #evidenceOf(attempt: DispatchAttempt, error: unknown, aborted: boolean): Evidence {
    return evidenceOf(attempt, this.#context.watch, error, aborted)
  }

  /** Never throws: undici calls it from within. */
  #fail(error: unknown, budgetSpent = false): void {
    this.#over = true
    this.#cancelDeadline()
    const told = this.#errorOf(error, budgetSpent)
    try {
      this.#sides.fail(told)
    } catch (thrown) {
      // A mistake of the handler above. It must not be lost, and undici must not be left half way.
      queueMicrotask(() => {
        throw thrown
      })
    }
  }

  #errorOf(error: unknown, budgetSpent: boolean): RequestError {
    const evidence = this.#evidence
    const failure = { ...this.#info, verdict: verdictOf(evidence), evidence, attempts: this.#attempts, budgetSpent }
    this.#context.events.emit('failed', () => failure)
    const name = nameOf(error, 'AbortError')
    return new RequestError({ ...failure, cause: error, ...((evidence.aborted || name === 'TimeoutError') && { name }) })
  }

  #remaining(): number {
    return this.#endsAt - this.#context.settings.clock.now()
  }
}
