import { durableObjectStore, kvReplayCache } from '@hopwise/cloudflare'
import { idempotent, requestId } from '@hopwise/hono'
import { Hono, type Context } from 'hono'
import type { Bindings } from './bindings.js'

/** What the app's handlers find in their context. */
export interface AppEnv {
  readonly Bindings: Bindings
  readonly Variables: { readonly account: string }
}

/** An API that takes orders: each `POST /orders` with one key of one account makes one order, however often it is sent. */
export function ordersApp({ IDEMPOTENCY, REPLAYS }: Pick<Bindings, 'IDEMPOTENCY' | 'REPLAYS'>) {
  const store = kvReplayCache({ namespace: REPLAYS, store: durableObjectStore({ namespace: IDEMPOTENCY }) })
  const protect = idempotent<AppEnv>({ store, principal: (c) => c.get('account'), onConflict: 'wait' })

  const app = new Hono<AppEnv>()
  app.use(requestId())
  app.use('/orders', async (c, next) => {
    const account = accountOf(c)
    if (account === undefined) return c.json({ error: 'who asks?' }, 401)
    c.set('account', account)
    await next()
  })
  app.post('/orders', protect, async (c) => {
    const { item } = await c.req.json<{ item: string }>()
    const order = { id: crypto.randomUUID(), item, attempt: c.get('idempotent')?.attempt }
    await c.env.ORDERS.put(`${c.get('account')}:${order.id}`, JSON.stringify(order))
    return c.json(order, 201)
  })
  app.get('/orders', async (c) => {
    const { keys } = await c.env.ORDERS.list({ prefix: `${c.get('account')}:` })
    return c.json({ count: keys.length })
  })
  return app
}

function accountOf(c: Context<AppEnv>): string | undefined {
  const [, token] = /^Bearer (\S+)$/.exec(c.req.header('authorization') ?? '') ?? []
  return token !== undefined && Object.hasOwn(c.env.TOKENS, token) ? c.env.TOKENS[token] : undefined
}
