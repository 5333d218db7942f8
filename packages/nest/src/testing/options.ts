import { memoryStore } from '@hopwise/core'
import type { HopwiseModuleOptions, NestIdempotencyOptions } from '../index.js'

/** Options of a module for tests: a fresh store, the principal from a field, and drains that do not wait for idle clients. */
export function testOptions(idempotency: NestIdempotencyOptions = {}): HopwiseModuleOptions {
  return { policy: { drain: { deadline: 100 } }, idempotency: { store: memoryStore(), principal: ({ headers }) => headers['x-user'] as string | undefined, ...idempotency } }
}
