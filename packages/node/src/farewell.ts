import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import type { Socket } from 'node:net'
import { HopwiseError, type Events } from '@hopwise/core'
import type { Connections } from './connections.js'
import type { HopEvents } from './events.js'

/** What a drain signal can be asked for. */
export type LongRequest = IncomingMessage | Http2ServerRequest

/**
 * Tells exchanges that have no end of their own (WebSockets, event streams, long polls) that the server ends: each by an
 * AbortSignal and an event, at a moment of its own, so that their clients do not all come back at once.
 */
export class Farewells {
  readonly #events: Events<HopEvents>
  readonly #connections: () => Connections
  readonly #waiting = new Map<LongRequest, { readonly controller: AbortController; readonly upgraded: boolean; timer?: NodeJS.Timeout }>()
  /** Once the listener is closed: how long to wait with the next one. */
  #delay: (() => number) | undefined
  #told = 0

  constructor(events: Events<HopEvents>, connections: () => Connections) {
    this.#events = events
    this.#connections = connections
  }

  /** How many were told. */
  get told(): number {
    return this.#told
  }

  /** The signal of a request: aborted when its exchange is to end, never once it is over. */
  signalOf(request: LongRequest): AbortSignal {
    const known = this.#waiting.get(request)
    if (known !== undefined) return known.controller.signal
    if ('stream' in request) {
      if (request.stream.closed || request.stream.destroyed) return new AbortController().signal
      request.stream.once('close', () => this.#forget(request))
    } else {
      const response = this.#connections().open.get(request.socket)?.pending.find(({ req }) => req === request)
      if (response === undefined) return new AbortController().signal
      response.once('close', () => this.#forget(request))
    }
    return this.#add(request, false)
  }

  /** A connection left HTTP. */
  upgraded(request: IncomingMessage): void {
    request.socket.once('close', () => this.#forget(request))
    this.#add(request, true)
  }

  /** The listener is closed: from now on each one is told, after a delay of its own. Again with other delays, if the end comes nearer. */
  begin(delay: () => number): void {
    this.#delay = delay
    for (const [request, waiting] of this.#waiting) {
      clearTimeout(waiting.timer)
      if (!waiting.controller.signal.aborted) this.#schedule(request)
    }
  }

  /** Nothing is left to be told. */
  stop(): void {
    for (const request of this.#waiting.keys()) this.#forget(request)
  }

  #add(request: LongRequest, upgraded: boolean): AbortSignal {
    const controller = new AbortController()
    this.#waiting.set(request, { controller, upgraded })
    this.#schedule(request)
    return controller.signal
  }

  #schedule(request: LongRequest): void {
    const waiting = this.#waiting.get(request)
    if (waiting === undefined || this.#delay === undefined) return
    waiting.timer = setTimeout(() => {
      this.#told++
      waiting.controller.abort(new HopwiseError('server-stopping', 'the server is draining: end this exchange'))
      const socket: Socket = request.socket
      this.#events.emit('farewell', () => ({ request, socket, upgraded: waiting.upgraded }))
    }, this.#delay())
  }

  #forget(request: LongRequest): void {
    clearTimeout(this.#waiting.get(request)?.timer)
    this.#waiting.delete(request)
  }
}
