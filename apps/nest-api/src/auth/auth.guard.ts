import type { NestRequest } from '@hopwise/nest'
import { createParamDecorator, Inject, Injectable, UnauthorizedException, type CanActivate, type ExecutionContext } from '@nestjs/common'
import type { ConfigType } from '@nestjs/config'
import { apiConfig } from '../api.config.js'

/** Who asks. */
export interface User {
  readonly id: string
}

/** A request that the guard has let through. */
export interface AuthenticatedRequest extends NestRequest {
  user: User
}

/** Knows a user by a bearer token. A real one asks its identity provider; what counts here is that the server says who it is. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(@Inject(apiConfig.KEY) private readonly config: ConfigType<typeof apiConfig>) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>()
    const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1]
    const id = token === undefined ? undefined : this.config.users.get(token)
    if (id === undefined) throw new UnauthorizedException('a bearer token that is known here is needed')
    request.user = { id }
    return true
  }
}

/** The user of the request. */
export const CurrentUser = createParamDecorator((_data: unknown, context: ExecutionContext): User => context.switchToHttp().getRequest<AuthenticatedRequest>().user)
