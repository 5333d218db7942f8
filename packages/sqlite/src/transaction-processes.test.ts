import Database from 'libsql'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { startChild } from './testing/child.js'
import { nodeWithSqlite } from './testing/node-with-sqlite.js'
import { temporaryFolder } from './testing/temporary-folder.js'

const keys = 60
const mostKills = 25

test.each([
  ['libsql', () => process.execPath],
  ['node:sqlite', nodeWithSqlite],
] as const)('exactly once on %s: 4 processes, 60 keys, SIGKILL at random instants', async (driver, node) => {
  const path = join(temporaryFolder(), 'orders.db')
  const database = new Database(path)
  onTestFinished(() => void database.close())
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE effects (key INTEGER NOT NULL, result TEXT NOT NULL)')

  let kills = 0
  const heard: Record<string, string>[] = []
  /** One process after another, until one comes to its end. */
  const untilDone = async (): Promise<void> => {
    for (;;) {
      const child = startChild('charge-keys.mjs', [driver, path, String(keys)], node())
      for (;;) {
        const line = await child.line()
        if (line.startsWith('{')) return void heard.push(JSON.parse(line))
        if (kills >= mostKills) continue
        kills++
        // Before, in, or after the first effect, the COMMIT, or the ROLLBACK.
        await pause(Math.random() * 40)
        await child.kill()
        break
      }
    }
  }
  await Promise.all([untilDone(), untilDone(), untilDone(), untilDone()])

  const effects = database.prepare('SELECT key, result FROM effects ORDER BY key').all() as { key: number; result: string }[]
  expect(effects.map(({ key }) => key)).toEqual(Array.from({ length: keys }, (_, key) => key))
  const results = Object.fromEntries(effects.map(({ key, result }) => [String(key), result]))
  expect(heard).toEqual([results, results, results, results])
  expect(database.prepare("SELECT count(*) AS n FROM hopwise_idempotency WHERE state = 'done'").get()).toMatchObject({ n: keys })
  expect(database.prepare('SELECT count(*) AS n FROM hopwise_idempotency').get()).toMatchObject({ n: keys })
  expect(kills).toBeGreaterThanOrEqual(10)
}, 90_000)
