// Makes calls with the client as it is built, one after another, and gives what came of them: on every runtime alike.
import { createClient } from '../../dist/index.js'

const bodies = {
  string: (text) => text,
  request: (text) => text,
  bytes: (text) => new TextEncoder().encode(text),
  blob: (text) => new Blob([text], { type: 'text/plain' }),
  params: (text) => new URLSearchParams({ text }),
  form: (text) => {
    const form = new FormData()
    form.set('text', text)
    form.set('file', new Blob([text]), 'a.txt')
    return form
  },
}

function initOf({ method, headers = {}, body, bodyKind = 'string' }) {
  const init = { method, headers }
  if (body === undefined) return init
  return bodyKind === 'made' ? { ...init, getBody: () => new Blob([body]).stream() } : { ...init, body: bodies[bodyKind](body) }
}

async function call(client, origin, one) {
  const controller = new AbortController()
  if (one.abortAfter !== undefined) setTimeout(() => controller.abort(), one.abortAfter)
  try {
    const url = `${origin}${one.target}`
    const init = { ...initOf(one), signal: controller.signal }
    const response = await (one.bodyKind === 'request' ? client(new Request(url, init)) : client(url, init))
    return { status: response.status, body: await response.text(), redirected: response.redirected }
  } catch (error) {
    const { verdict, sent, name, message, budgetSpent } = error
    return { verdict, sent, name, message, budgetSpent }
  }
}

/**
 * Makes the calls of an order.
 * @param {{ origin: string, calls: readonly import('./runtimes.js').RuntimeCall[], bare: boolean, options: object }} order
 * @returns {Promise<import('./runtimes.js').RuntimeResult[]>}
 */
export async function makeCalls({ origin, calls, bare, options }) {
  const client = bare ? fetch : createClient({ random: () => 0, ...options })
  const results = []
  for (const { together = 1, ...one } of calls) {
    const [first] = await Promise.all(Array.from({ length: together }, () => call(client, origin, one)))
    results.push(first)
  }
  return results
}
