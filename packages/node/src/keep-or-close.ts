import type { IncomingMessage, ServerResponse } from 'node:http'
import { connectionDecision, type DrainPhase, type ServerSettings } from '@hopwise/core'
import { discardAfter, retireSession } from './closing.js'
import type { Connection } from './connections.js'

/** Asks, for each response, whether its connection may live on, and has it say so. */
export class KeepOrClose {
  readonly #maxRequests: number
  readonly #phase: () => DrainPhase
  readonly #closing: (connection: Connection) => void

  constructor(settings: ServerSettings, phase: () => DrainPhase, closing: (connection: Connection) => void) {
    this.#maxRequests = settings.maxRequestsPerConnection ?? Number.POSITIVE_INFINITY
    this.#phase = phase
    this.#closing = closing
  }

  /** HTTP/1: decided when the response's header is written, which is when Node asks `shouldKeepAlive`. */
  request(connection: Connection, request: IncomingMessage, response: ServerResponse): void {
    const number = connection.requests
    let asNodeWants = response.shouldKeepAlive
    Object.defineProperty(response, 'shouldKeepAlive', {
      configurable: true,
      enumerable: true,
      set: (value: boolean) => {
        asNodeWants = value
      },
      get: () => {
        const close = this.#ends(connection, number, connection.pending.length - 1 - connection.pending.indexOf(response))
        if (close) {
          this.#closing(connection)
          discardAfter(connection.socket, request)
        }
        return asNodeWants && !close
      },
    })
  }

  /** HTTP/2: a session has no last response to say it on; GOAWAY goes out beside the streams that are open. */
  stream(connection: Connection): void {
    if (connection.session === undefined || !this.#ends(connection, connection.requests, 0)) return
    this.#closing(connection)
    retireSession(connection)
  }

  #ends(connection: Connection, requests: number, pipelinedBehind: number): boolean {
    return connectionDecision({
      phase: this.#phase(),
      pipelinedBehind,
      requests,
      maxRequests: this.#maxRequests,
      age: performance.now() - connection.acceptedAt,
      maxAge: connection.maxAge,
    }) === 'close'
  }
}
