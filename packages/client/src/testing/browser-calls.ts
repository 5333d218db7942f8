import type { Page } from 'playwright-core'
import type { ClientOptions, createClient, createClientOf } from '../client.js'
import type { verdictRules } from '../retry-rules.js'

/** A call that the page makes. */
export interface PageCall {
  readonly url: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** What the page makes of the body, which is base64 then: a Blob, or a form with a file. [a text] */
  readonly kind?: 'blob' | 'form'
  /** Who sends it: the client, the page's own fetch, or a client that takes a lost request for one that may be sent again. ['client'] */
  readonly by?: 'client' | 'fetch' | 'broken client'
  readonly options?: Pick<ClientOptions, 'trustedOrigins'>
  /** Gives up in the first wait before another attempt. */
  readonly abortInBackoff?: boolean
}

/** What came of it. */
export interface PageResult {
  readonly status?: number
  readonly text?: string
  readonly retryAfter?: string | null
  readonly name?: string
  readonly message?: string
  readonly verdict?: string
  readonly attempts?: number
  /** The waits before each further attempt, in milliseconds. */
  readonly delays: readonly number[]
}

interface Hopwise {
  readonly createClient: typeof createClient
  readonly createClientOf: typeof createClientOf
  readonly verdictRules: typeof verdictRules
}

/** Lets the page make a call. Without randomness: a wait is as long as the server asks for, or none. */
export function callInPage(page: Page, call: PageCall): Promise<PageResult> {
  // The function runs in the page: it can use nothing of this file.
  return page.evaluate(async ({ url, method = 'GET', headers, body, kind, by = 'client', options, abortInBackoff = false }) => {
    const { hopwise } = globalThis as unknown as { hopwise: Hopwise }
    const own = { random: () => 0, ...options }
    const rules = { ...hopwise.verdictRules, 'fresh-loss': { requests: 'any', how: 'policy' } } as const
    const client = by === 'broken client' ? hopwise.createClientOf(own, { rules }) : hopwise.createClient(own)
    const controller = new AbortController()
    const delays: number[] = []
    client.on('retry', ({ delay }) => {
      delays.push(delay)
      // In a task of its own: the wait has begun by then.
      if (abortInBackoff) setTimeout(() => controller.abort())
    })
    const blob = (): Blob => new Blob([Uint8Array.from(atob(body ?? ''), (char) => char.charCodeAt(0))], { type: 'text/csv' })
    const form = (): FormData => {
      const data = new FormData()
      data.set('name', 'Ärger "quoted"')
      data.set('file', blob(), 'a.csv')
      return data
    }
    const made = kind === 'blob' ? blob() : kind === 'form' ? form() : body
    const init = { method, signal: controller.signal, ...(headers !== undefined && { headers }), ...(made !== undefined && { body: made }) }
    try {
      const response = await (by === 'fetch' ? fetch(url, init) : client(url, init))
      return { status: response.status, text: await response.text(), retryAfter: response.headers.get('retry-after'), delays }
    } catch (error) {
      const { name, message, verdict, attempts } = error as Error & { verdict?: string; attempts?: number }
      return { name, message, ...(verdict !== undefined && { verdict }), ...(attempts !== undefined && { attempts }), delays }
    }
  }, call)
}
