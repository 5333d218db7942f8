import type { Backend, BackendAddress } from './backend.js'
import { openPostgres, preparePostgres } from './postgres.js'
import { openRedis } from './redis.js'
import { openSqlite, prepareSqlite } from './sqlite.js'

/** Connects to a backend that was started. */
export async function openBackend(address: BackendAddress): Promise<Backend> {
  if (address.name.startsWith('redis')) return openRedis(address)
  return address.name.startsWith('postgres') ? openPostgres(address) : openSqlite(address)
}

/** Makes the tables of a backend that has some. */
export async function prepareBackend(address: BackendAddress): Promise<void> {
  if (address.name.startsWith('postgres')) await preparePostgres(address)
  if (address.name.startsWith('sqlite')) prepareSqlite(address)
}
