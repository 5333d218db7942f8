import { parseArgs } from 'node:util'

/** What Nest runs on. */
export type Platform = 'express' | 'fastify'

/** What the application writes its lines with. */
export type LoggerName = 'nest' | 'pino'

/** What the application was asked to be. */
export interface Arguments {
  readonly platform: Platform
  readonly logger: LoggerName
  /** On 127.0.0.1; 0 for a free one. */
  readonly port: number
}

/**
 * Reads the command line: `--platform express|fastify`, `--logger nest|pino`, `--port N`.
 * @throws Error with one sentence that names the argument and what is allowed
 */
export function readArguments(args: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      platform: { type: 'string', default: 'express' },
      logger: { type: 'string', default: 'nest' },
      port: { type: 'string', default: '3000' },
    },
  })
  const port = Number(values.port)
  if (!/^\d{1,5}$/.test(values.port) || port > 65_535) throw new Error(`--port is ${JSON.stringify(values.port)}; allowed: 0 to 65535`)
  return { platform: oneOf('platform', values.platform, ['express', 'fastify']), logger: oneOf('logger', values.logger, ['nest', 'pino']), port }
}

function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value)
  if (found === undefined) throw new Error(`--${name} is ${JSON.stringify(value)}; allowed: ${allowed.join(', ')}`)
  return found
}
