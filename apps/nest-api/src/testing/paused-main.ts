import { once } from 'node:events'
import { Logger } from '@nestjs/common'
import { readArguments } from '../arguments.js'
import { createApp } from '../create-app.js'
import { OrdersService } from '../orders/orders.service.js'

// The same application, but its handler tells when an order is inserted, and goes on when it is told to.
const { port, ...choice } = readArguments(process.argv.slice(2))
const app = await createApp(choice)
const orders = app.get(OrdersService)
const create = orders.create.bind(orders)
Object.assign(orders, {
  async create(...given: Parameters<OrdersService['create']>) {
    const order = create(...given)
    const told = once(process, 'message')
    process.send?.('inserted')
    await told
    return order
  },
})
await app.listen(port, '127.0.0.1')
new Logger('Main').log(`listening on ${await app.getUrl()}`)
