/** The moment at which nobody waits for a task any more. It can only come nearer. */
export class TaskDeadline {
  readonly #end = new AbortController()
  #endsAt = Number.POSITIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  /** Aborted then, with the error to tell as its reason. */
  readonly signal: AbortSignal = this.#end.signal

  /** It comes in so many milliseconds at the latest. */
  within(milliseconds: number): void {
    const endsAt = performance.now() + milliseconds
    if (endsAt >= this.#endsAt) return
    this.#endsAt = endsAt
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#end.abort(new Error("not done by the drain's deadline")), milliseconds)
  }

  /** Nobody waits for anything: lets go of the timer. */
  over(): void {
    clearTimeout(this.#timer)
  }
}
