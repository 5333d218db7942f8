/** The worker: the app and the class of its Durable Object. */
import { env } from 'cloudflare:workers'
import type { Bindings } from './bindings.js'
import { ordersApp } from './orders.js'

export { IdempotencyObject } from '@hopwise/cloudflare'
export default ordersApp(env as unknown as Bindings)
