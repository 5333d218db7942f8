import { randomUUID } from 'node:crypto'
import type { Method } from '../cases.js'
import type { LabAnswer, LabClient } from '../clients/client.js'
import type { CallResult } from './messages.js'

/**
 * A pool takes a connection back in some later turn of the event loop, and nobody tells when. Where this was too short for it, the
 * fault server says so, and the call is made anew.
 */
export async function settle(): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, 30)
  })
}

/** Sends one logical request. */
export function send(client: LabClient, method: Method, url: string, signal: AbortSignal): Promise<LabAnswer> {
  const body = method === 'GET' || method === 'DELETE' ? undefined : 'tea'
  return client.send({
    method: method === 'POST+key' ? 'POST' : method,
    url,
    headers: { ...(body !== undefined && { 'content-type': 'text/plain' }), ...(method === 'POST+key' && { 'idempotency-key': randomUUID() }) },
    ...(body !== undefined && { body }),
    signal,
  })
}

/** Sends one, and says what came of it and how long it took. */
export async function timedCall(client: LabClient, method: Method, url: string, patienceMs: number): Promise<CallResult> {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<string>((resolve) => {
    timer = setTimeout(() => {
      controller.abort()
      resolve(`ERR TIMEOUT${patienceMs / 1_000}`)
    }, patienceMs)
  })
  const began = performance.now()
  const outcome = await Promise.race([send(client, method, url, controller.signal).then(({ status }) => `status ${status}`, outcomeOf), over])
  clearTimeout(timer)
  return { outcome, ms: Math.round(performance.now() - began) }
}

/** `ERR` and the code of the innermost error that has one; the name of the outermost where none has. */
function outcomeOf(error: unknown): string {
  let code = error instanceof Error ? error.name : String(error)
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') code = at.code
  }
  return `ERR ${code}`
}
