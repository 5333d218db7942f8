import { setTimeout as wait } from 'node:timers/promises'
import { Pool } from 'undici'
import { answerWithinMs, body, connectWithinMs, path, type Client, type Method, type Outcome, type Targets } from './client.js'

/** Undici as it is, one Pool a target, shared by as many clients as there are. Only a refused connection leads to the other target. */
export class UndiciClients {
  readonly #pools: readonly Pool[]
  #turn = 0

  constructor({ ports, tls }: Targets, connections: number) {
    this.#pools = ports.map((port) => new Pool(`${tls ? 'https' : 'http'}://127.0.0.1:${port}`, { connections, headersTimeout: answerWithinMs, bodyTimeout: answerWithinMs, connect: { rejectUnauthorized: false } }))
  }

  /** One of the clients. */
  client(): Client {
    return { send: (method) => this.#send(method), close: () => {} }
  }

  async close(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.destroy()))
  }

  async #send(method: Method): Promise<Outcome> {
    const since = performance.now()
    while (performance.now() - since < connectWithinMs) {
      for (let tries = 0; tries < this.#pools.length; tries++) {
        const pool = this.#pools[this.#turn++ % this.#pools.length]
        const outcome = pool === undefined ? 'ECONNREFUSED' : await ask(pool, method)
        if (outcome !== 'ECONNREFUSED') return outcome
      }
      await wait(5)
    }
    return 'ECONNREFUSED'
  }
}

async function ask(pool: Pool, method: Method): Promise<Outcome> {
  try {
    const answer = await pool.request({ path, method, ...(method === 'POST' && { body, headers: { 'content-type': 'application/json' } }) })
    await answer.body.dump()
    return answer.statusCode >= 200 && answer.statusCode < 300 ? 'ok' : String(answer.statusCode)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code ?? message
  }
}
