import type { AdapterSetup } from '@hopwise/testkit/adapter'
import type { Hono } from 'hono'

export declare function contractApp(setup: AdapterSetup, hopwise: { readonly idempotent: unknown; readonly requestId: unknown }): Hono
