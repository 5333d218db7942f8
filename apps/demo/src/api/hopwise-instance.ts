import { join } from 'node:path'
import express from 'express'
import { attach, idempotent, requestId } from '@hopwise/express'
import { sqliteStore } from '@hopwise/sqlite'
import { runInstance, tell } from './instance-messages.js'
import { openOrders } from './orders-database.js'
import { ordersRoutes } from './orders-routes.js'

/** The same API with Hopwise. */
runInstance(({ port, folder }) => {
  const database = openOrders(join(folder, 'orders.db'))
  const protect = idempotent({
    store: sqliteStore({ database: openOrders(join(folder, 'orders.db')), synchronous: 'normal' }),
    // The demo has one caller. A real API gives the account that it has authenticated.
    principal: () => 'demo',
  })
  const app = express()
  app.use(requestId())
  app.use(ordersRoutes(database, [protect]))
  const server = app.listen(port, '127.0.0.1')
  const hop = attach(server, { chain: ['nginx'] })
  hop.on('phase', ({ phase }) => tell({ kind: 'phase', phase }))
  hop.listenSignals({ signals: ['SIGTERM'], after: [() => database.close()] })
  return server
})
