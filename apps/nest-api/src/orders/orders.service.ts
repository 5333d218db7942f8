import { Injectable, Logger } from '@nestjs/common'
import type { User } from '../auth/auth.guard.js'
import { OrdersDatabase } from '../database/orders.database.js'
import type { CreateOrderDto, OrderDto } from './order.dto.js'

/** What an order belongs to: who asked, by which request, in which transaction. */
export interface OrderOrigin {
  readonly user: User
  readonly request: string
  /** That of the idempotent run. */
  readonly transaction: unknown
}

@Injectable()
export class OrdersService {
  readonly #logger = new Logger(OrdersService.name)

  constructor(private readonly database: OrdersDatabase) {}

  /** Makes an order in the transaction of its request: it is there once its response is stored, and exactly once. */
  create({ item, quantity }: CreateOrderDto, { user, request, transaction }: OrderOrigin): OrderDto {
    const { lastInsertRowid } = this.database.store
      .databaseOf(transaction)
      .prepare('INSERT INTO orders (user, item, quantity, request) VALUES (?, ?, ?, ?)')
      .run(user.id, item, quantity, request)
    const id = Number(lastInsertRowid)
    this.#logger.log(`order ${id} of ${user.id}`)
    return { id, item, quantity, request }
  }

  /** The orders of a user, the newest first. */
  list(user: User): OrderDto[] {
    return this.database.reader.prepare('SELECT id, item, quantity, request FROM orders WHERE user = ? ORDER BY id DESC LIMIT 100').all(user.id) as OrderDto[]
  }
}
