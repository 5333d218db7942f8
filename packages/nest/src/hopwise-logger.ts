import { logBindings, type LogBindings } from '@hopwise/core'
import { ConsoleLogger, Injectable, type LogLevel } from '@nestjs/common'

/** A line as ConsoleLogger has it before it becomes JSON. */
interface LogObject {
  [field: string]: unknown
  level: LogLevel
  pid: number
  timestamp: number
  message: unknown
  context?: string
  stack?: unknown
  error?: Record<string, unknown>
  params?: Record<string, unknown>
}

/** What ConsoleLogger says of a line beside its message. */
interface LogObjectOptions {
  context: string
  logLevel: LogLevel
  errorStack?: unknown
}

/**
 * Nest's ConsoleLogger, with the ids of the current request in each line: `requestId`, and where requests have a trace,
 * `traceId` and `spanId`. With `json: true` they are fields, in text they stand in brackets before the message. Lines
 * outside of a request are as ever. Takes the options of ConsoleLogger. In JSON with Nest 11.1.4 and later.
 * @example app.useLogger(new HopwiseLogger({ json: true }))
 */
@Injectable()
export class HopwiseLogger extends ConsoleLogger {
  // The two methods that Nest 11 and 12 have for it, with what they take in both.
  protected override formatContext(context: string): string {
    return super.formatContext(context) + inBrackets(logBindings())
  }

  protected override getJsonLogObject(message: unknown, options: LogObjectOptions): LogObject & LogBindings {
    return { ...super.getJsonLogObject(message, options), ...logBindings() }
  }
}

function inBrackets(bindings: LogBindings): string {
  const ids = Object.entries(bindings).map(([name, id]) => `${name}=${id}`)
  return ids.length === 0 ? '' : `[${ids.join(' ')}] `
}
