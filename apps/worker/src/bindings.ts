import type { IdempotencyObject } from '@hopwise/cloudflare'

/** What wrangler.toml binds. */
export interface Bindings {
  readonly IDEMPOTENCY: DurableObjectNamespace<IdempotencyObject>
  readonly REPLAYS: KVNamespace
  readonly ORDERS: KVNamespace
  /** Accounts by their token. */
  readonly TOKENS: Readonly<Record<string, string>>
}
