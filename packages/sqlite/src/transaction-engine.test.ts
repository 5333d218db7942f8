import { createIdempotency, type Incoming } from '@hopwise/core'
import Database from 'libsql'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { sqliteTransactionStore } from './index.js'
import { temporaryFolder } from './testing/temporary-folder.js'

function incoming(key: string): Incoming<undefined> {
  return {
    method: 'POST',
    target: '/orders',
    route: '/orders',
    field: (name) => (name === 'idempotency-key' ? [key] : []),
    body: async () => new Uint8Array(0),
    requestId: undefined,
    native: undefined,
  }
}

/** An engine on a new file, and the way of a request whose handler inserts an order and answers with `status`. */
function setUp() {
  const path = join(temporaryFolder(), 'orders.db')
  const outside = new Database(path)
  outside.exec('PRAGMA journal_mode = WAL; CREATE TABLE orders (item TEXT)')
  const store = sqliteTransactionStore({ open: () => new Database(path) })
  onTestFinished(() => {
    store.close()
    outside.close()
  })
  const idempotency = createIdempotency({ store, scope: 'global' })
  const order = async (key: string, status: number, insteadOfSettling?: 'abandon') => {
    const decision = await idempotency.begin(incoming(key))
    if (decision.kind !== 'run') return decision.kind === 'reply' ? `replied ${decision.response.status}` : decision.kind
    const { ticket } = decision
    store.databaseOf(ticket.transaction).prepare('INSERT INTO orders VALUES (?)').run(key)
    if (insteadOfSettling !== undefined) return ticket.abandon()
    const settled = await ticket.settle({ status, fields: [], body: new Uint8Array(0) })
    return settled.kind === 'send' ? `sent ${status}` : `replaced by ${settled.response.status}`
  }
  const orders = () => (outside.prepare('SELECT item FROM orders ORDER BY item').all() as { item: string }[]).map(({ item }) => item)
  return { store, order, orders, idempotency }
}

test('through the engine: a result is kept with its effect, an error and a run that gives up leave neither', async () => {
  const { order, orders } = setUp()
  expect(await order('key-a', 201)).toBe('sent 201')
  expect(await order('key-a', 201)).toBe('replied 201')
  expect(await order('key-b', 500)).toBe('sent 500')
  await order('key-c', 201, 'abandon')
  expect(orders()).toEqual(['key-a'])
  expect([await order('key-b', 201), await order('key-c', 201)]).toEqual(['sent 201', 'sent 201'])
  expect(orders()).toEqual(['key-a', 'key-b', 'key-c'])
})

test('through the engine: duplicates at once are one order and its replays', async () => {
  const { order, orders } = setUp()
  const came = await Promise.all(Array.from({ length: 10 }, () => order('key-a', 201)))
  expect(came.toSorted()).toEqual([...Array.from({ length: 9 }, () => 'replied 201'), 'sent 201'])
  expect(orders()).toEqual(['key-a'])
})

test('through the engine: a handler that rolled back by itself has no result, and the client is told to come again', async () => {
  const { store, idempotency, order, orders } = setUp()
  const decision = await idempotency.begin(incoming('key-a'))
  if (decision.kind !== 'run') throw new Error(`expected run, got ${decision.kind}`)
  store.databaseOf(decision.ticket.transaction).exec('ROLLBACK')
  const settled = await decision.ticket.settle({ status: 201, fields: [], body: null })
  expect(settled).toMatchObject({ kind: 'replace', response: { status: 503 } })
  expect(await order('key-a', 201)).toBe('sent 201')
  expect(orders()).toEqual(['key-a'])
})
