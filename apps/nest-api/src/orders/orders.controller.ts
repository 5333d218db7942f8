import { Idempotent, IdempotentRun, RequestId } from '@hopwise/nest'
import { Body, Controller, Get, Post, UseGuards } from '@nestjs/common'
import { ApiBearerAuth, ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger'
import { AuthGuard, CurrentUser, type User } from '../auth/auth.guard.js'
import { CreateOrderDto, OrderDto } from './order.dto.js'
import { OrdersService } from './orders.service.js'

@ApiTags('orders')
@ApiBearerAuth()
@Controller('orders')
@UseGuards(AuthGuard)
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  @Post()
  @Idempotent()
  @ApiCreatedResponse({ type: OrderDto })
  create(@Body() order: CreateOrderDto, @CurrentUser() user: User, @RequestId() request: string, @IdempotentRun() { transaction }: IdempotentRun) {
    return this.orders.create(order, { user, request, transaction })
  }

  @Get()
  @ApiOkResponse({ type: [OrderDto] })
  list(@CurrentUser() user: User) {
    return this.orders.list(user)
  }
}
