import type { IdempotencyStore } from '@hopwise/core'

export declare function serveStore(store: IdempotencyStore): Promise<{ readonly port: number; readonly close: () => void }>
export declare function remoteStore(port: number): IdempotencyStore
