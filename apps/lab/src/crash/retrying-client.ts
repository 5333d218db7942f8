import { request } from 'node:http'
import type { Fleet } from './fleet.js'

/** What a client ended with for one of its requests. */
export interface Answer {
  readonly key: string
  /** `'unknown'` is 409 outcome-unknown: the first run's server stopped, and `onCrash` says not to run again. */
  readonly outcome: 'answered' | 'unknown' | 'lost'
  /** The body of a 2xx answer. */
  readonly body: string | undefined
  /** The answer speaks of another key. */
  readonly foreign: boolean
  /** From the last time that its connection broke to its answer; 0 where none broke. */
  readonly recoveryMs: number
}

const pauseMs = 25
const giveUpAfterMs = 60_000

/** Sends one request again and again, to whichever worker is there, until it is answered for good. */
export async function retryUntilAnswered(fleet: Fleet, key: string, random: () => number): Promise<Answer> {
  const startedAt = performance.now()
  let brokeAt: number | undefined
  for (;;) {
    const attempt = await send(await fleet.port(random), key)
    const now = performance.now()
    const recoveryMs = brokeAt === undefined ? 0 : now - brokeAt
    if (attempt.kind === 'broken') brokeAt = now
    if (attempt.kind === 'response') {
      const { status, body } = attempt
      if (status === 201) return { key, outcome: 'answered', body, foreign: !body.includes(`"${key}"`), recoveryMs }
      if (status === 409 && body.includes('outcome-unknown')) return { key, outcome: 'unknown', body: undefined, foreign: false, recoveryMs }
      if (status !== 409 && status !== 503) throw new Error(`the worker answered ${status}: ${body.slice(0, 300)}`)
    }
    if (now - startedAt > giveUpAfterMs) return { key, outcome: 'lost', body: undefined, foreign: false, recoveryMs }
    await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + random())))
  }
}

type Attempt = { readonly kind: 'response'; readonly status: number; readonly body: string } | { readonly kind: 'broken' } | { readonly kind: 'refused' }

function send(port: number, key: string): Promise<Attempt> {
  return new Promise((resolve) => {
    let connected = false
    const failed = (): void => resolve({ kind: connected ? 'broken' : 'refused' })
    const outgoing = request({ host: '127.0.0.1', port, method: 'POST', path: '/orders', agent: false, headers: { 'idempotency-key': key, 'content-type': 'application/json' } }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        body += chunk
      })
      response.once('end', () => resolve({ kind: 'response', status: response.statusCode ?? 0, body }))
      response.once('error', failed)
      response.once('close', failed)
    })
    outgoing.once('socket', (socket) => socket.once('connect', () => {
      connected = true
    }))
    outgoing.once('error', failed)
    outgoing.end(JSON.stringify({ key }))
  })
}
