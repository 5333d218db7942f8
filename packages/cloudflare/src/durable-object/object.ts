import { DurableObject } from 'cloudflare:workers'
import type { Claim, ClaimRequest, ClaimResult, Duration, SavedPhases, StoredResponse } from '@hopwise/core'
import { bytesOf, decide, responseValues, roomInRow, rowColumns, type Row } from '../record.js'
import { createTableSql, defaultTable } from '../table.js'
import { Waiters, type WakeStub } from './waiters.js'

const table = `"${defaultTable}"`

/** A holder keeps its rights after its lease, but not after its record. */
const held = "key = ? AND owner = ? AND fence = ? AND state = 'pending' AND expires_at > ?"

/** At most one alarm a minute, whatever the retention is: until then a record that is over only takes room. */
const sweepEvery = 60_000

const sweepBatch = 1_000

/**
 * The Durable Object that holds keys for `durableObjectStore`: export it from the Worker's main module, and declare it under
 * `new_sqlite_classes` in wrangler.toml. Each operation is synchronous inside of the object, so that no other comes between
 * its reads and its writes, and it is answered once they are stored. The object's clock decides. An alarm removes records
 * whose retention is over, at most once a minute.
 *
 * Callers need not use it themselves; its methods are those of the store.
 */
export class IdempotencyObject extends DurableObject<unknown> {
  protected readonly waiters = new Waiters()
  /** When the alarm is due, in milliseconds since 1970. */
  #alarmAt: number | undefined

  constructor(ctx: DurableObjectState, env: unknown) {
    super(ctx, env)
    ctx.storage.sql.exec(createTableSql(defaultTable))
    void ctx.blockConcurrencyWhile(async () => {
      this.#alarmAt = (await ctx.storage.getAlarm()) ?? undefined
    })
  }

  claim(request: ClaimRequest): ClaimResult {
    const { key, owner, fingerprint, lease, retention } = request
    const time = this.now()
    const [row] = this.#rows(`SELECT ${rowColumns} FROM ${table} WHERE key = ? AND expires_at > ?`, key, time) as unknown as Row[]
    const result = decide(row, request, time)
    if (result.kind !== 'claimed') return result
    const expiresAt = time + Math.max(retention, lease)
    this.#rows(
      `INSERT OR REPLACE INTO ${table} (key, owner, fence, fingerprint, lease_until, expires_at, phases, state) VALUES (?, ?, ?, ?, ?, ?, ?, 'pending')`,
      key,
      owner,
      result.fence,
      fingerprint,
      time + lease,
      expiresAt,
      row?.state === 'pending' ? row.phases : null,
    )
    this.#sweepAfter(expiresAt)
    return result
  }

  complete(claim: Claim, response: StoredResponse, retention: Duration): boolean {
    const expiresAt = this.now() + retention
    const set = "state = 'done', status = ?, fields = ?, request_id = ?, body = ?, expires_at = ?, phases = NULL"
    const done = this.#change(claim, set, ...responseValues(response), expiresAt)
    if (!done) return false
    this.#sweepAfter(expiresAt)
    this.waiters.wake(claim.key)
    return true
  }

  renew(claim: Claim, lease: Duration): boolean {
    const leaseUntil = this.now() + lease
    return this.#change(claim, 'lease_until = ?, expires_at = max(expires_at, ?)', leaseUntil, leaseUntil)
  }

  release(claim: Claim): boolean {
    const released = this.#change(claim, "state = 'released', phases = NULL")
    if (released) this.waiters.wake(claim.key)
    return released
  }

  savePhase(claim: Claim, name: string, value: string): boolean {
    const [row] = this.#rows(`SELECT phases FROM ${table} WHERE ${held}`, ...this.#holder(claim))
    if (row === undefined) return false
    const saved = JSON.parse(String(row['phases'] ?? '{}')) as SavedPhases
    const phases = JSON.stringify({ ...saved, [name]: value })
    if (bytesOf(phases) > roomInRow) throw new Error(`the saved phases of one run have more than ${roomInRow} bytes together, and a row no room for them`)
    return this.#change(claim, 'phases = ?', phases)
  }

  sweep(limit: number): number {
    const over = `SELECT key FROM ${table} WHERE expires_at <= ? ORDER BY expires_at LIMIT ?`
    return this.#rows(`DELETE FROM ${table} WHERE key IN (${over}) RETURNING 1`, this.now(), limit).length
  }

  /** Calls `wake` when the key may be done or free, until the waiter that it gives is disposed of. */
  watch(key: string, wake: WakeStub): Disposable {
    return this.waiters.add(key, wake)
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = undefined
    const removed = this.sweep(sweepBatch)
    const [next] = this.#rows(`SELECT min(expires_at) AS at FROM ${table}`)
    if (removed === sweepBatch) this.#setAlarm(Date.now())
    else if (typeof next?.['at'] === 'number') this.#sweepAfter(next['at'])
  }

  /** Milliseconds since 1970. */
  protected now(): number {
    return Date.now()
  }

  /** Sees to it that there is an alarm once a record is over, and within a minute of that. */
  #sweepAfter(expiresAt: number): void {
    const at = Math.max(expiresAt, this.now() + sweepEvery)
    if (this.#alarmAt === undefined || this.#alarmAt > at) this.#setAlarm(at)
  }

  #setAlarm(at: number): void {
    this.#alarmAt = at
    // Stored together with the writes before it; where that fails, the object is reset, and its callers hear of it.
    void this.ctx.storage.setAlarm(at)
  }

  #change(claim: Claim, set: string, ...values: readonly SqlValue[]): boolean {
    return this.#rows(`UPDATE ${table} SET ${set} WHERE ${held} RETURNING 1`, ...values, ...this.#holder(claim)).length === 1
  }

  #holder({ key, owner, fence }: Claim): SqlValue[] {
    return [key, owner, fence, this.now()]
  }

  #rows(sql: string, ...values: readonly SqlValue[]): Record<string, SqlStorageValue>[] {
    return this.ctx.storage.sql.exec(sql, ...values).toArray()
  }
}

type SqlValue = string | number | Uint8Array | null
