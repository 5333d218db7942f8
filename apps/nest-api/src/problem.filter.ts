import { STATUS_CODES } from 'node:http'
import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common'
import { HttpAdapterHost } from '@nestjs/core'

/** Answers what handlers, guards and pipes throw in the form that refusals of keys have: problem documents (RFC 9457). */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #logger = new Logger(ProblemFilter.name)

  constructor(private readonly host: HttpAdapterHost) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const status = error instanceof HttpException ? error.getStatus() : 500
    if (status >= 500) this.#logger.error(error instanceof Error ? error.stack : String(error))
    const { httpAdapter } = this.host
    const response: unknown = host.switchToHttp().getResponse()
    httpAdapter.setHeader(response, 'content-type', 'application/problem+json')
    httpAdapter.reply(response, { type: 'about:blank', title: STATUS_CODES[status], status, ...detailOf(error) }, status)
  }
}

/** What may be said of it: nothing of an error that nobody made for a client. */
function detailOf(error: unknown): { readonly detail?: string } {
  if (!(error instanceof HttpException)) return {}
  const said = error.getResponse()
  const message = typeof said === 'string' ? said : (said as { readonly message?: string | readonly string[] }).message
  return message === undefined ? {} : { detail: [message].flat().join('; ') }
}
