import { memoryStore, type IdempotencyStore } from '../../idempotency/index.js'
import { idempotent, type FetchIdempotencyOptions } from '../idempotent.js'
import type { FetchHandler } from '../request-id.js'

/** A promise, and how to resolve it. */
export function gate(): { readonly opened: Promise<void>; open: () => void } {
  let open: () => void = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}

/** A store whose `complete` waits until it is let go, and tells that it was asked. */
export function heldStore() {
  const store = memoryStore()
  const completing = gate()
  const letGo = gate()
  const held: IdempotencyStore = {
    ...store,
    complete: async (...args) => {
      completing.open()
      await letGo.opened
      return store.complete(...args)
    },
  }
  return { store: held, completing: completing.opened, letGo: letGo.open }
}

/** A POST to /orders with a key. */
export function order(init: RequestInit & { readonly key?: string } = {}): Request {
  const { key = 'key-1', headers, ...rest } = init
  return new Request('http://test/orders', { method: 'POST', body: '{"item":"tea"}', ...rest, headers: { 'content-type': 'application/json', 'idempotency-key': key, ...(headers as Record<string, string> | undefined) } })
}

/** A protected handler, which knows how often it ran. */
export function service(handler: (run: number, request: Request) => Response | Promise<Response>, options: Partial<FetchIdempotencyOptions<[]>> = {}) {
  let runs = 0
  const protect = idempotent({ store: memoryStore(), scope: 'global', storeDeadline: '30s', ...options })
  const counted: FetchHandler = (request) => handler(++runs, request)
  return { fetch: protect(counted), on: protect.on, runs: () => runs }
}

/** A body that is fed from outside. */
export function fedBody() {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  let cancelled = false
  const body = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given
    },
    cancel: () => {
      cancelled = true
    },
  })
  return {
    body,
    write: (text: string) => controller?.enqueue(new TextEncoder().encode(text)),
    end: () => controller?.close(),
    fail: (error: unknown) => controller?.error(error),
    cancelled: () => cancelled,
  }
}

/** Reads one chunk as text; `undefined` at the end. */
export async function readText(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string | undefined> {
  const { done, value } = await reader.read()
  return done ? undefined : new TextDecoder().decode(value)
}

/** Some turns of the event loop: what had to happen at once has happened. */
export async function turns(count = 2): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setTimeout(resolve))
}
