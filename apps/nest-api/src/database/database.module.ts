import { Module } from '@nestjs/common'
import { OrdersDatabase } from './orders.database.js'

@Module({ providers: [OrdersDatabase], exports: [OrdersDatabase] })
export class DatabaseModule {}
