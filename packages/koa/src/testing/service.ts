import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { memoryStore } from '@hopwise/core'
import { rawRequest, requestText, type RawResponse } from '@hopwise/testkit/adapter'
import Koa from 'koa'
import { onTestFinished } from 'vitest'

/** An app that prints no stack of the errors that are thrown on purpose. */
export function silentApp(): Koa {
  const app = new Koa()
  app.silent = true
  return app
}

/** Serves an app on a free port until the test is over. */
export async function listen(app: Koa): Promise<number> {
  const server = createServer(app.callback()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

/** Options of a middleware for one caller, with a store of its own. */
export const options = () => ({ store: memoryStore(), scope: 'global' as const })

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
