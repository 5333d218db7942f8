import { startPostgres, type Postgres } from '@hopwise/testkit/components'
import { Pool, type PoolConfig } from 'pg'
import { afterAll, beforeAll, onTestFinished } from 'vitest'

/** One server for all tests of a file. */
export function serverForFile(): () => Postgres {
  let server: Postgres | undefined
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server?.stop())
  return () => {
    if (server === undefined) throw new Error('the server is not there yet')
    return server
  }
}

/** A pool that is ended after the test. */
export function poolForTest(connectionString: string, config?: PoolConfig): Pool {
  const pool = new Pool({ connectionString, ...config })
  pool.on('error', () => undefined)
  onTestFinished(() => pool.end())
  return pool
}

/** Resolves when `count` connections of the server wait for a lock. */
export async function untilWaiting(pool: Pool, count: number): Promise<void> {
  for (;;) {
    const { rows } = await pool.query(`SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'`)
    if ((rows[0] as { n: number }).n >= count) return
  }
}
