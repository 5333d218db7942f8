import { registerAs } from '@nestjs/config'

/** What the application reads from its environment. */
interface ApiConfig {
  /** `ORDERS_DATABASE`: the SQLite file of orders and keys. */
  readonly database: string
  /** `API_USERS`: who may ask, by token; `alice:token-1,bob:token-2`. */
  readonly users: ReadonlyMap<string, string>
  /** `DRAIN_DEADLINE`: how long a stop may take, less than what the orchestrator grants. */
  readonly drainDeadline: `${number}s`
}

/** @throws Error with one sentence that names the variable and what is allowed, when the application starts */
export const apiConfig = registerAs('api', (): ApiConfig => ({
  database: process.env['ORDERS_DATABASE'] ?? 'orders.db',
  users: readUsers(process.env['API_USERS'] ?? ''),
  drainDeadline: readSeconds(process.env['DRAIN_DEADLINE'] ?? '25s'),
}))

function readUsers(text: string): Map<string, string> {
  const pairs = text.split(',').filter(Boolean).map((pair) => pair.split(':'))
  return new Map(pairs.map(([user = '', token = '']) => {
    if (user === '' || token === '') throw new Error('API_USERS is not a list of user:token, separated by commas')
    return [token, user]
  }))
}

function readSeconds(text: string): `${number}s` {
  if (!/^\d{1,3}s$/.test(text)) throw new Error(`DRAIN_DEADLINE is ${JSON.stringify(text)}; allowed: seconds, such as 25s`)
  return text as `${number}s`
}
