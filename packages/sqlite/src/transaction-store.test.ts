import { formatDuration, type Claim, type ClaimRequest, type Duration, type StoredResponse } from '@hopwise/core'
import { storeContract } from '@hopwise/testkit/store'
import Database from 'libsql'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { sqliteTransactionStore, type SqliteTransactionStoreOptions } from './index.js'
import { temporaryFolder } from './testing/temporary-folder.js'

type Options = Partial<SqliteTransactionStoreOptions<InstanceType<typeof Database>>>

const response: StoredResponse = { status: 201, fields: [['a', 'b']], body: Uint8Array.of(1, 2, 3), requestId: 'r' }
const retention = 60_000 as Duration

function request(key: number, over: Partial<ClaimRequest> = {}): ClaimRequest {
  return { key: String(key).padStart(64, '0'), owner: crypto.randomUUID(), fingerprint: 'f', lease: 30_000 as Duration, retention, expired: 'take', ...over }
}

/** Stores on one new file that has a table for effects, and a connection that looks at it from outside. */
function setUp(options: Options = {}) {
  const path = join(temporaryFolder(), 'orders.db')
  const outside = new Database(path)
  outside.exec('PRAGMA journal_mode = WAL; CREATE TABLE effects (key TEXT)')
  const opened: InstanceType<typeof Database>[] = []
  const open = () => {
    const database = new Database(path)
    database.exec('PRAGMA foreign_keys = ON')
    opened.push(database)
    return database
  }
  const store = sqliteTransactionStore({ open, ...options })
  onTestFinished(() => {
    store.close()
    outside.close()
  })
  const effects = () => (outside.prepare('SELECT key FROM effects ORDER BY rowid').all() as { key: string }[]).map(({ key }) => Number(key))
  const rows = () => (outside.prepare('SELECT count(*) AS n FROM hopwise_idempotency').get() as { n: number }).n
  const begin = async (asked: ClaimRequest) => {
    const result = await store.claim(asked)
    if (result.kind !== 'claimed') throw new Error(`expected claimed, got ${result.kind}`)
    const claim: Claim = { key: asked.key, owner: asked.owner, fence: result.fence }
    const database = store.databaseOf(result.transaction)
    return { claim, database, transaction: result.transaction, effect: () => void database.prepare('INSERT INTO effects VALUES (?)').run(asked.key) }
  }
  const whole = async (key: number) => {
    const { claim, effect } = await begin(request(key))
    effect()
    expect(await store.complete(claim, response, retention)).toBe(true)
  }
  return { path, outside, opened, open, store, effects, rows, begin, whole }
}

describe('the cases of the contract that do not speak of leases', () => {
  let time = 1_700_000_000_000
  const { cases } = storeContract({
    name: 'transactions',
    clock: { advance: (by) => void (time += by) },
    async create() {
      const folder = mkdtempSync(join(tmpdir(), 'hopwise-sqlite-'))
      const store = sqliteTransactionStore({ open: () => new Database(join(folder, 'keys.db')), now: () => time })
      const close = async () => {
        store.close()
        rmSync(folder, { recursive: true })
      }
      return { store, close }
    },
  })
  const apply = /: (replays|a done key (with|is kept|cannot)|of 10 completes|a key that nobody|a phase of a)/
  const chosen = cases.filter(({ name }) => apply.test(name))
  test('are many', () => expect(chosen.length).toBeGreaterThanOrEqual(18))
  test.each(chosen)('$name', ({ run }) => run())
})

describe('effects and result', () => {
  test('commit together: neither is seen before, both are after', async () => {
    const { store, begin, effects, rows } = setUp()
    const { claim, effect } = await begin(request(1))
    effect()
    expect([effects(), rows()]).toEqual([[], 0])
    expect(await store.complete(claim, response, retention)).toBe(true)
    expect([effects(), rows()]).toEqual([[1], 1])
    expect(await store.claim(request(1))).toEqual({ kind: 'done', response })
    expect(await store.claim(request(1, { fingerprint: 'other' }))).toEqual({ kind: 'mismatch' })
    expect(await store.complete(claim, response, retention)).toBe(false)
    expect(await store.release(claim)).toBe(false)
  })

  test('a release takes both back, and the next claim is as good as the first, for any fingerprint', async () => {
    const { store, begin, effects, rows } = setUp()
    const { claim, effect } = await begin(request(1))
    effect()
    expect(await store.release(claim)).toBe(true)
    expect([effects(), rows()]).toEqual([[], 0])
    expect(await store.release(claim)).toBe(false)
    expect((await begin(request(1, { fingerprint: 'other' }))).claim.fence).toBe(1)
  })

  test('while it runs, only its holder renews and saves phases, neither of which is kept', async () => {
    const { store, begin } = setUp()
    const { claim } = await begin(request(1))
    const others = [{ ...claim, owner: 'other' }, { ...claim, fence: 2 }, { ...claim, key: 'other' }]
    expect([await store.renew(claim, retention), await store.savePhase(claim, 'charge', '1')]).toEqual([true, true])
    for (const other of others) {
      expect([await store.renew(other, retention), await store.savePhase(other, 'charge', '1')]).toEqual([false, false])
      expect([await store.complete(other, response, retention), await store.release(other)]).toEqual([false, false])
    }
    await store.release(claim)
    expect([await store.renew(claim, retention), await store.savePhase(claim, 'charge', '1')]).toEqual([false, false])
    expect(await store.claim(request(1))).toEqual({ kind: 'claimed', fence: 1, transaction: expect.anything() })
  })

  test('a handler that takes longer than lease and retention is still stored', async () => {
    let time = 1_700_000_000_000
    const { store, begin, effects } = setUp({ now: () => time })
    const { claim, effect } = await begin(request(1, { lease: 1 as Duration, retention: 1 as Duration }))
    effect()
    time += 3_600_000
    expect(await store.complete(claim, response, retention)).toBe(true)
    expect(effects()).toEqual([1])
    expect((await store.claim(request(1))).kind).toBe('done')
  })

  test('a COMMIT that fails takes both back, and the connection serves the next', async () => {
    const { store, begin, whole, effects, outside } = setUp({ connections: 1 })
    outside.exec('CREATE TABLE parents (id INTEGER PRIMARY KEY); CREATE TABLE children (parent REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)')
    const { claim, effect, database } = await begin(request(1))
    effect()
    database.exec('INSERT INTO children VALUES (7)')
    await expect(store.complete(claim, response, retention)).rejects.toThrow('FOREIGN KEY')
    expect(effects()).toEqual([])
    await whole(1)
    expect(effects()).toEqual([1])
  })
})

describe('a handler that ends the transaction itself', () => {
  test.each([
    ['COMMIT', 'COMMIT'],
    ['ROLLBACK', 'ROLLBACK'],
    ['COMMIT, and begins another', 'COMMIT; BEGIN IMMEDIATE'],
    ['ROLLBACK, and begins another', 'ROLLBACK; BEGIN IMMEDIATE'],
  ])('by %s: complete and release reject, and the store goes on', async (_what, sql) => {
    for (const operation of ['complete', 'release'] as const) {
      const { store, begin, whole } = setUp({ connections: 1 })
      const { claim, database, effect } = await begin(request(1))
      effect()
      database.exec(sql)
      const ending = operation === 'complete' ? store.complete(claim, response, retention) : store.release(claim)
      await expect(ending).rejects.toMatchObject({ code: 'store-unusable', message: expect.stringContaining('had ended before its result was stored') })
      expect(await store.complete(claim, response, retention)).toBe(false)
      await whole(2)
    }
  })

  test('by COMMIT: the key stays held, so that the effect that is there is not made again', async () => {
    const time = 1_700_000_000_000
    let passed = 0
    const { store, begin, effects } = setUp({ now: () => time + passed })
    const { claim, database, effect } = await begin(request(1))
    effect()
    database.exec('COMMIT')
    await expect(store.complete(claim, response, retention)).rejects.toMatchObject({ code: 'store-unusable' })
    expect(effects()).toEqual([1])
    expect(await store.claim(request(1))).toEqual({ kind: 'pending', leaseLeft: 30_000 })
    passed = 30_000
    expect(await store.claim(request(1, { expired: 'report' }))).toEqual({ kind: 'expired', fence: 1 })
  })

  test('a handler may use savepoints', async () => {
    const { store, begin, effects } = setUp()
    const { claim, database, effect } = await begin(request(1))
    database.exec('SAVEPOINT mine')
    effect()
    database.exec('ROLLBACK TO mine; RELEASE mine; SAVEPOINT left_open')
    effect()
    expect(await store.complete(claim, response, retention)).toBe(true)
    expect(effects()).toEqual([1])
  })

  test('a handler cannot close the connection', async () => {
    const { store, begin, effects } = setUp()
    const { claim, database, effect } = await begin(request(1))
    expect(() => database.close()).toThrow('closed by the store only')
    effect()
    expect(await store.complete(claim, response, retention)).toBe(true)
    expect(effects()).toEqual([1])
  })

  test('a connection that is of no more use is replaced', async () => {
    const { store, begin, whole, effects, opened } = setUp({ connections: 1 })
    const { claim, effect } = await begin(request(1))
    effect()
    const used = opened[1]
    used?.exec('ROLLBACK')
    used?.close()
    await expect(store.complete(claim, response, retention)).rejects.toThrow()
    await whole(2)
    expect([effects(), opened.length]).toEqual([[2], 3])
  })

  test('a handler that changes the table of the store fails, and nothing of it is kept', async () => {
    const { store, begin, effects } = setUp()
    const { claim, database, effect } = await begin(request(1))
    effect()
    database.exec('DELETE FROM hopwise_idempotency')
    await expect(store.complete(claim, response, retention)).rejects.toThrow('the handler changed the table')
    expect(effects()).toEqual([])
  })
})

describe('databaseOf', () => {
  test.each([[undefined], [null], ['transaction'], [{}], [7]])('refuses %j', (transaction) => {
    const { store } = setUp()
    expect(() => store.databaseOf(transaction)).toThrow(expect.objectContaining({ code: 'store-unusable', message: expect.stringContaining('of this store') }))
  })

  test('refuses the transaction of another store', async () => {
    const [one, two] = [setUp(), setUp()]
    const { transaction } = await one.begin(request(1))
    expect(() => two.store.databaseOf(transaction)).toThrow('of this store')
  })

  test('refuses a transaction that is over, and so do the connection and the statements that a handler kept', async () => {
    const { store, begin, effects } = setUp({ connections: 1 })
    const { claim, transaction, database } = await begin(request(1))
    const insert = database.prepare('INSERT INTO effects VALUES (?)')
    insert.run('1')
    expect([database.inTransaction, database instanceof Database, database.constructor]).toEqual([true, true, Database])
    await store.complete(claim, response, retention)

    // The same connection, now in another request's transaction.
    const next = await begin(request(2))
    for (const late of [() => store.databaseOf(transaction), () => insert.run('9'), () => database.exec('DELETE FROM effects'), () => database.prepare('SELECT 1')]) {
      expect(late).toThrow(expect.objectContaining({ code: 'store-unusable', message: expect.stringContaining('the transaction is over') }))
    }
    next.effect()
    await store.complete(next.claim, response, retention)
    expect(effects()).toEqual([1, 2])
  })
})

describe('options', () => {
  const open = () => new Database(join(temporaryFolder(), 'x.db'))
  test.each<[name: string, options: unknown, code: string, message: string]>([
    ['no open', {}, 'option-invalid', 'option "open" is required'],
    ['a database instead', { database: 'x.db' }, 'option-unknown', 'unknown option "database"'],
    ['no connection', { open, connections: 0 }, 'option-invalid', 'from 1 to 64'],
    ['too many connections', { open, connections: 65 }, 'option-invalid', 'from 1 to 64'],
    ['a wait too long', { open, waitsAtMost: '11m' }, 'option-invalid', `to ${formatDuration(600_000 as Duration)}`],
    ['a table that breaks out', { open, table: 'x"; DROP TABLE orders; --' }, 'option-invalid', 'option "table"'],
    ['open without a database', { open: () => ({}) }, 'option-invalid', '"open" must return a database'],
    ['open that throws', { open: () => new Database('/none/x.db') }, 'store-unusable', '"open" failed: '],
    ['a database in memory', { open: () => new Database(':memory:') }, 'store-unusable', 'a database in a file'],
  ])('%s is refused', (_name, options, code, message) => {
    const make = () => sqliteTransactionStore(options as SqliteTransactionStoreOptions<InstanceType<typeof Database>>)
    expect(make).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }))
  })

  test('say how long claims wait', () => {
    expect(setUp().store.transactional).toEqual({ waitsAtMost: 10_000 })
    expect(setUp({ waitsAtMost: '2s' }).store.transactional).toEqual({ waitsAtMost: 2_000 })
  })

  test('open that gives the same connection, or another file, is noticed with the first claim', async () => {
    const one = new Database(join(temporaryFolder(), 'x.db'))
    const same = sqliteTransactionStore({ open: () => one })
    await expect(same.claim(request(1))).rejects.toThrow('gave the same one twice')
    same.close()
    const other = sqliteTransactionStore({ open })
    await expect(other.claim(request(1))).rejects.toThrow('"open" opened ')
    other.close()
  })
})
