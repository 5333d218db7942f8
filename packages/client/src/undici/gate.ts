import { mostDiscarded } from '../discard.js'
import { problemTypeIn } from '../problem-type.js'
import type { DispatchAttempt, Exchange, Handling } from './exchange.js'

/** A held body that is longer is no problem document of ours. */
const mostHeld = 16_384

/**
 * What lets the response of one attempt through to the handler above, or not. The two shapes of handlers of undici tell it what comes;
 * each `pass` gives it to the handler above in that shape.
 */
export class Gate {
  readonly #exchange: Exchange
  readonly #attempt: DispatchAttempt
  #handling: Handling = 'forward'
  #bytes = 0
  #held: { readonly status: number; readonly field: (name: string) => string | undefined; readonly pass: () => void; readonly chunks: Uint8Array[] } | undefined

  constructor(exchange: Exchange, attempt: DispatchAttempt) {
    this.#exchange = exchange
    this.#attempt = attempt
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
    if (this.#handling === 'hold') this.#held = { status, field, pass, chunks: [] }
    return true
  }

  data(chunk: Uint8Array, pass: (chunk: Uint8Array) => boolean | void): boolean | void {
    if (this.#isOver) return true
    if (this.#handling === 'forward') return pass(chunk)
    this.#bytes += chunk.length
    if (this.#held !== undefined) {
      this.#held.chunks.push(chunk)
      if (this.#bytes > mostHeld) this.#release(pass)
    } else if (this.#bytes > mostDiscarded) this.#attempt.abort?.(new Error('the response is not wanted'))
    return true
  }

  end(passData: (chunk: Uint8Array) => boolean | void, pass: () => void): void {
    if (this.#isOver) return
    if (this.#held !== undefined) {
      const { status, field, chunks } = this.#held
      const type = problemTypeIn(new TextDecoder().decode(joined(chunks)))
      if (this.#exchange.heldUntilEnd(this.#attempt, status, field, type) === 'swallow') return this.#exchange.discarded(this.#attempt)
      this.#release(passData)
    }
    if (this.#handling === 'swallow') return this.#exchange.discarded(this.#attempt)
    this.#exchange.completed(this.#attempt)
    pass()
  }

  error(error: unknown): void {
    if (this.#isOver) return
    if (this.#handling === 'swallow') this.#exchange.discarded(this.#attempt)
    else this.#exchange.failed(this.#attempt, error)
  }

  get #isOver(): boolean {
    return this.#attempt.dropped || this.#exchange.over
  }

  /** What was held goes on. It is short, so that nobody has to pause. */
  #release(pass: (chunk: Uint8Array) => boolean | void): void {
    const held = this.#held
    this.#held = undefined
    this.#handling = 'forward'
    held?.pass()
    for (const chunk of held?.chunks ?? []) pass(chunk)
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
