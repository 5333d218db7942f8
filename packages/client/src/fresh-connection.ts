/** What makes fetch send one request on a connection of its own. */
export interface FreshConnection {
  /** For the init of fetch. */
  readonly init: Readonly<Record<string, unknown>>
  /** To be called once the header of the response has come, or the attempt has failed. A body that is still to come stays readable. */
  release(): void
}

/**
 * How the runtime is asked for a fresh connection; `undefined` where it cannot be. Bun takes no pooled connection where `keepalive` is
 * false (measured, Bun 1.4.5). Deno is given a client without a pool: one that is closed keeps what is in flight, and never sends a
 * request again by itself, which the shared one does (measured, Deno 2.9.6; docs.deno.com, `Deno.createHttpClient`).
 */
export function findFreshConnection(): (() => FreshConnection) | undefined {
  const { Bun, Deno } = globalThis as { Bun?: unknown; Deno?: { createHttpClient?: (options: { poolMaxIdlePerHost: number }) => { close(): void } } }
  const create = Deno?.createHttpClient
  if (create !== undefined) {
    return () => {
      const client = create({ poolMaxIdlePerHost: 0 })
      return { init: { client }, release: () => client.close() }
    }
  }
  return Bun === undefined ? undefined : () => ({ init: { keepalive: false }, release() {} })
}
