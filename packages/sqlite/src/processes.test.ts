import type { Claim, ClaimRequest, Duration } from '@hopwise/core'
import Database from 'libsql'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startChild } from './testing/child.js'
import { temporaryFolder } from './testing/temporary-folder.js'
import { sqliteStore } from './index.js'

test('of 4 processes that claim the same 200 keys of a new file, each key goes to one', async () => {
  const path = join(temporaryFolder(), 'keys.db')
  // They open the new file at once, too.
  const children = Array.from({ length: 4 }, () => startChild('claim-keys.mjs', [path, '200']))
  for (const child of children) expect(await child.line()).toBe('ready')
  for (const child of children) child.say('go')
  const kinds = await Promise.all(children.map(async (child) => JSON.parse(await child.line()) as string[]))

  const perKey = Array.from({ length: 200 }, (_, key) => kinds.map((list) => list[key]).toSorted())
  expect(perKey).toEqual(Array.from({ length: 200 }, () => ['claimed', 'pending', 'pending', 'pending']))
})

test('a process that is killed between claim and complete leaves its key pending, and takeable after the lease', async () => {
  const path = join(temporaryFolder(), 'keys.db')
  const child = startChild('claim-and-hang.mjs', [path])
  const dead = JSON.parse(await child.line()) as Claim
  await child.kill()

  let passed = 0
  const database = new Database(path)
  onTestFinished(() => void database.close())
  const store = sqliteStore({ database, now: () => Date.now() + passed })
  const retry: ClaimRequest = {
    key: dead.key,
    owner: crypto.randomUUID(),
    fingerprint: 'f'.repeat(64),
    lease: 30_000 as Duration,
    retention: 3_600_000 as Duration,
    expired: 'take',
  }

  expect(await store.claim(retry)).toEqual({ kind: 'pending', leaseLeft: expect.any(Number) })
  passed = 30_001
  expect(await store.claim(retry)).toEqual({ kind: 'claimed', fence: 2 })
  expect(await store.renew(dead, 30_000 as Duration)).toBe(false)
  const response = { status: 201, fields: [], body: null, requestId: undefined }
  expect(await store.complete({ ...retry, fence: 2 }, response, 60_000 as Duration)).toBe(true)
  expect(await store.claim(retry)).toEqual({ kind: 'done', response })
})
