import type { Failure } from './request-error.js'
import type { Verdict } from './evidence.js'

/** Which call an event is about. No path and no query: they may hold secrets. */
export interface CallInfo {
  readonly method: string
  readonly origin: string
  readonly requestId: string
}

/** What a client tells. */
export interface ClientEvents {
  /** An attempt begins. `resendCount` is 0 for the first one: OpenTelemetry's `http.request.resend_count`. */
  readonly attempt: CallInfo & { readonly resendCount: number }
  /** Another attempt will be made, `delay` milliseconds from now. A `verdict` where the last one failed, a `status` where it was answered. */
  readonly retry: CallInfo & { readonly why: 'repair' | 'policy'; readonly delay: number; readonly verdict?: Verdict; readonly status?: number }
  /**
   * There would be another attempt, if the retry budget of the origin were not spent: the call fails (`verdict`), or its response is
   * handed over (`status`).
   */
  readonly budgetSpent: CallInfo & { readonly verdict?: Verdict; readonly status?: number }
  /** A call has failed, and its error goes to the caller. `verdict` and `evidence` are of all of its attempts, as in the error. */
  readonly failed: CallInfo & Pick<Failure, 'verdict' | 'evidence' | 'attempts' | 'budgetSpent'>
}
