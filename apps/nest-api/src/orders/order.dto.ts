import { ApiProperty } from '@nestjs/swagger'
import { IsInt, IsString, Length, Max, Min } from 'class-validator'

/** What a client asks for. */
export class CreateOrderDto {
  @ApiProperty({ minLength: 1, maxLength: 100 })
  @IsString()
  @Length(1, 100)
  readonly item!: string

  @ApiProperty({ type: 'integer', minimum: 1, maximum: 1000 })
  @IsInt()
  @Min(1)
  @Max(1000)
  readonly quantity!: number
}

/** An order that was made. */
export class OrderDto {
  @ApiProperty({ type: 'integer' })
  readonly id!: number

  @ApiProperty()
  readonly item!: string

  @ApiProperty({ type: 'integer' })
  readonly quantity!: number

  /** The request that made it, for whoever has to look it up in the log. */
  @ApiProperty()
  readonly request!: string
}
