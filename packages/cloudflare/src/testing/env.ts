import { env as bindings } from 'cloudflare:workers'
import type { IdempotencyObject } from '../durable-object/object.js'
import type { ClockedObject } from './worker.js'

/** The bindings of vitest.config.ts. */
interface TestEnv {
  readonly KEYS: DurableObjectNamespace<IdempotencyObject>
  readonly CLOCKED: DurableObjectNamespace<ClockedObject>
  readonly DATABASE: D1Database
  readonly OTHER_DATABASE: D1Database
  readonly CACHE: KVNamespace
  readonly BUCKET: R2Bucket
}

export const env = bindings as unknown as TestEnv
