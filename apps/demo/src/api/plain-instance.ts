import { join } from 'node:path'
import express from 'express'
import { runInstance, tell } from './instance-messages.js'
import { openOrders } from './orders-database.js'
import { ordersRoutes } from './orders-routes.js'

/** Node's default from version 8 to 26; from 27 on it is to be 65 s (nodejs/node#62782). */
const nodesDefaultIdleTimeout = 5_000

/** The orders API as most services are: Express's defaults, and `server.close()` when asked to stop. */
runInstance(({ port, folder }) => {
  const app = express()
  app.use(ordersRoutes(openOrders(join(folder, 'orders.db')), []))
  const server = app.listen(port, '127.0.0.1')
  server.keepAliveTimeout = Math.min(server.keepAliveTimeout, nodesDefaultIdleTimeout)
  process.once('SIGTERM', () => {
    tell({ kind: 'phase', phase: 'draining' })
    server.close(() => process.exit(0))
  })
  return server
})
