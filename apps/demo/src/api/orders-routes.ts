import { setTimeout as wait } from 'node:timers/promises'
import express, { type RequestHandler, type Router } from 'express'
import type { OrdersDatabase } from './orders-database.js'

/**
 * The orders API, the same for both sides: create an order, list orders. `protect` stands before the creation.
 * `/stall` is the slow synchronous handler that every code base has somewhere: it blocks the event loop.
 */
export function ordersRoutes(database: OrdersDatabase, protect: readonly RequestHandler[]): Router {
  const insert = database.prepare('INSERT INTO orders (reference, item) VALUES (?, ?)')
  const newest = database.prepare('SELECT id, reference, item FROM orders ORDER BY id DESC LIMIT 20')
  const router = express.Router()

  router.post('/orders', ...protect, express.json(), async (request, response) => {
    const { reference, item } = (request.body ?? {}) as { reference?: unknown; item?: unknown }
    if (typeof reference !== 'string' || typeof item !== 'string') {
      response.status(400).json({ error: 'an order has a reference and an item' })
      return
    }
    const { lastInsertRowid } = insert.run(reference, item)
    // Tell the warehouse, print the receipt: the order is made, and the answer is not sent yet.
    await wait(5 + Math.random() * 35)
    response.status(201).location(`/orders/${lastInsertRowid}`).json({ id: Number(lastInsertRowid), reference, item })
  })

  router.get('/orders', async (_request, response) => {
    await wait(5 + Math.random() * 35)
    response.json(newest.all())
  })

  router.post('/stall', (request, response) => {
    const until = performance.now() + Math.min(5_000, Number(request.query['ms']) || 0)
    while (performance.now() < until);
    response.status(204).end()
  })
  return router
}
