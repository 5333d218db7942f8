import { Agent, request } from 'node:http'
import type { Tally } from './tally.js'

/** What came of one request. `status` is 0 where no answer came. */
export interface Answer {
  readonly status: number
}

/** An order as it is sent: `reference` is what tells a duplicate, `key` what prevents it. */
export interface OrderRequest {
  readonly reference: string
  readonly key: string
}

/** One client with one keep-alive connection to the proxy. It never sends a request twice by itself. */
export class Lane {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  readonly #port: number
  readonly #tally: Tally

  constructor(port: number, tally: Tally) {
    this.#port = port
    this.#tally = tally
  }

  /** Creates an order. */
  order({ reference, key }: OrderRequest): Promise<Answer> {
    return this.#send('POST', '/orders', { 'content-type': 'application/json', 'idempotency-key': `"${key}"` }, JSON.stringify({ reference, item: 'tea' }))
  }

  /** Lists orders. */
  list(): Promise<Answer> {
    return this.#send('GET', '/orders', {}, undefined)
  }

  close(): void {
    this.#agent.destroy()
  }

  #send(method: string, path: string, headers: Record<string, string>, body: string | undefined): Promise<Answer> {
    return new Promise((resolve) => {
      const done = (status: number): void => {
        this.#tally.count(status)
        resolve({ status })
      }
      const outgoing = request({ host: '127.0.0.1', port: this.#port, agent: this.#agent, method, path, headers, timeout: 15_000 }, (response) => {
        response.resume()
        response.once('end', () => done(response.statusCode ?? 0))
        response.once('error', () => done(0))
      })
      outgoing.once('timeout', () => outgoing.destroy(new Error('no answer within 15 s')))
      outgoing.once('error', () => done(0))
      outgoing.end(body)
    })
  }
}
