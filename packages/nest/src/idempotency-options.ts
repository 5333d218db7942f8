import type { IncomingMessage } from 'node:http'
import type { IdempotencyOptions, Incoming } from '@hopwise/core'
import type { NestRequest } from './platform.js'

/**
 * The options of {@link Idempotent}, and its defaults in the module: those of the engine, none of them required here.
 * Both functions are asked after the guards, and may say a narrower type for the request.
 */
export interface NestIdempotencyOptions extends Partial<Omit<IdempotencyOptions<NestRequest>, 'principal' | 'fingerprint'>> {
  /**
   * Who asks: an id that the server has established, such as that of a guard's user. Required, unless
   * `scope: 'global'` is said.
   */
  principal?(request: NestRequest): string | undefined | Promise<string | undefined>
  /** What makes two requests with one key the same. [method, target, content type and raw body] */
  fingerprint?(incoming: Incoming<NestRequest>, body: Uint8Array): string | Promise<string>
}

/**
 * Puts options over each other, the nearest one last. Who asks is one thing, said by `principal` or by `scope`: the
 * nearer one of them takes the place of the other.
 */
export function mergeIdempotencyOptions(...layers: readonly (NestIdempotencyOptions | undefined)[]): NestIdempotencyOptions {
  return layers.reduce<NestIdempotencyOptions>((merged, layer = {}) => {
    const { principal, scope, ...rest } = merged
    const inherited = layer.principal === undefined && layer.scope === undefined
    return { ...rest, ...(inherited && principal !== undefined && { principal }), ...(inherited && scope !== undefined && { scope }), ...layer }
  }, {})
}

/** The same options for an engine whose requests are Node's. `requestOf` gives the framework's request of one. */
export function onNativeRequests(options: NestIdempotencyOptions, requestOf: (native: IncomingMessage) => NestRequest): IdempotencyOptions<IncomingMessage> {
  const { principal, fingerprint, ...rest } = options
  // What is no function goes on as it is: the engine has the words for it. The store is one of them.
  const native: Partial<IdempotencyOptions<IncomingMessage>> = {
    ...rest,
    ...(principal !== undefined && { principal: typeof principal === 'function' ? (request) => principal(requestOf(request)) : principal }),
    ...(fingerprint !== undefined && {
      fingerprint: typeof fingerprint === 'function' ? (incoming, body) => fingerprint({ ...incoming, native: requestOf(incoming.native) }, body) : fingerprint,
    }),
  }
  return native as IdempotencyOptions<IncomingMessage>
}
