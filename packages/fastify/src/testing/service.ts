import type { AddressInfo } from 'node:net'
import { memoryStore } from '@hopwise/core'
import { rawRequest, requestText, type RawResponse } from '@hopwise/testkit/adapter'
import type { FastifyInstance } from 'fastify'
import { onTestFinished } from 'vitest'

/** Serves an app on a free port until the test is over. */
export async function listen(app: FastifyInstance): Promise<number> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  onTestFinished(async () => {
    app.server.closeAllConnections()
    await app.close()
  })
  return (app.server.address() as AddressInfo).port
}

/** Options of the plugin for one caller, with a store of its own. */
export const options = () => ({ store: memoryStore(), scope: 'global' as const })

/** What a route says that is protected with the options of its scope. */
export const protectedRoute = { config: { idempotent: true } } as const

/** The bytes of a POST with the key `key-1` and a JSON body. */
export function postText(path: string, fields: Record<string, string> = {}, body = '{"item":"tea"}'): Uint8Array {
  return requestText('POST', path, { 'content-type': 'application/json', 'idempotency-key': 'key-1', ...fields }, body)
}

/** Sends such a POST over a connection of its own. */
export function post(port: number, path: string, fields?: Record<string, string>, body?: string): Promise<RawResponse> {
  return rawRequest(port, postText(path, fields, body))
}

/** A promise, and the function that resolves it. */
export function deferred<T = void>() {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
