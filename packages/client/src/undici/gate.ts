import { mostDiscarded } from '../discard.js'
import { problemTypeIn } from '../problem-type.js'
import type { DispatchAttempt } from './dispatch-attempt.js'
import type { Exchange, Handling } from './exchange.js'

/** A held body that is longer is no problem document of ours. */
const mostHeld = 16_384

/**
 * What lets the response of one attempt through to the handler above, or not. The two shapes of handlers of undici tell it what comes;
 * `passData` and each `pass` give it to the handler above in that shape.
 */
export class Gate {
  readonly #exchange: Exchange
  readonly #attempt: DispatchAttempt
  readonly #passData: (chunk: Uint8Array) => boolean | void
  #handling: Handling = 'forward'
  #bytes = 0
  #held: { readonly status: number; readonly field: (name: string) => string | undefined; readonly pass: () => void; readonly chunks: Uint8Array[]; readonly cancelPatience: () => void } | undefined

  constructor(exchange: Exchange, attempt: DispatchAttempt, passData: (chunk: Uint8Array) => boolean | void) {
    this.#exchange = exchange
    this.#attempt = attempt
    this.#passData = passData
  }

  /** Gives what the handler above says of the flow: `false` to pause. */
  head(status: number, field: (name: string) => string | undefined, pass: () => boolean | void): boolean | void {
    if (this.#isOver) return true
    if (status < 200) {
      this.#attempt.headSeen = true
      return pass()
    }
    this.#handling = this.#exchange.answered(this.#attempt, status, field)
    if (this.#handling === 'forward') return pass()
    if (this.#handling === 'hold') this.#held = { status, field, pass, chunks: [], cancelPatience: this.#exchange.whenImpatient(() => this.#impatient()) }
    return true
  }

  data(chunk: Uint8Array): boolean | void {
    if (this.#isOver) return true
    if (this.#handling === 'forward') return this.#passData(chunk)
    this.#bytes += chunk.length
    if (this.#held !== undefined) {
      this.#held.chunks.push(chunk)
      if (this.#bytes > mostHeld) this.#settle(undefined)
    } else if (this.#bytes > mostDiscarded) this.#attempt.abort?.(new Error('the response is not wanted'))
    return true
  }

  end(pass: () => void): void {
    if (this.#isOver) return
    if (this.#held !== undefined) {
      this.#settle(problemTypeIn(new TextDecoder().decode(joined(this.#held.chunks))))
      // The handler above may have given up at what it got.
      if (this.#isOver) return
    }
    if (this.#handling === 'swallow') return this.#exchange.discarded(this.#attempt)
    this.#exchange.completed(this.#attempt)
    pass()
  }

  error(error: unknown): void {
    this.#held?.cancelPatience()
    if (this.#isOver) return
    if (this.#handling === 'swallow') this.#exchange.discarded(this.#attempt)
    else this.#exchange.failed(this.#attempt, error)
  }

  get #isOver(): boolean {
    return this.#attempt.dropped || this.#exchange.over
  }

  /** A body that stalls must not hold the call up: it is no problem document of ours. */
  #impatient(): void {
    if (this.#isOver) return
    try {
      this.#settle(undefined)
    } catch (error) {
      // As undici does with a handler that throws.
      this.#attempt.abort?.(error)
    }
  }

  /** Judges the response that is held by the type of its problem document. What was held goes on; it is short, so that nobody has to pause. */
  #settle(problemType: string | undefined): void {
    const held = this.#held
    if (held === undefined) return
    this.#held = undefined
    held.cancelPatience()
    this.#handling = this.#exchange.settled(this.#attempt, held.status, held.field, problemType)
    if (this.#handling === 'swallow') return
    held.pass()
    for (const chunk of held.chunks) {
      if (this.#isOver) return
      this.#passData(chunk)
    }
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
