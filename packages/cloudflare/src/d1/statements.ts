import { rowColumns } from '../record.js'

/** The texts of the statements; the order of their values is that of the numbers. */
export interface D1Statements {
  readonly take: string
  readonly find: string
  readonly tidy: string
  readonly complete: string
  readonly renew: string
  readonly savePhase: string
  readonly release: string
  readonly sweep: string
}

/** Milliseconds since 1970 on the database's clock, the same throughout one statement. */
const now = "CAST(unixepoch('subsec') * 1000 AS INTEGER)"

/**
 * The statements for one table. A batch of D1 is one transaction in which nothing can be decided between two statements,
 * so that each carries its own conditions. `table` is an identifier.
 */
export function statementsFor(table: string): D1Statements {
  const name = `"${table}"`
  const held = `key = ?1 AND owner = ?2 AND fence = ?3 AND state = 'pending' AND expires_at > ${now}`
  return {
    // Takes the key where it is free, released, gone, or where its lease is over and the claim may have it; else changes nothing.
    take: `
      INSERT INTO ${name} AS record (key, owner, fingerprint, lease_until, expires_at, fence, state)
      VALUES (?1, ?2, ?3, ${now} + ?4, ${now} + max(?4, ?5), 1, 'pending')
      ON CONFLICT (key) DO UPDATE SET
        owner = excluded.owner, fingerprint = excluded.fingerprint, lease_until = excluded.lease_until,
        expires_at = excluded.expires_at, state = 'pending', status = NULL, fields = NULL, request_id = NULL, body = NULL,
        fence = CASE WHEN record.expires_at > ${now} THEN record.fence + 1 ELSE 1 END,
        phases = CASE WHEN record.expires_at > ${now} THEN record.phases END
      WHERE record.expires_at <= ${now} OR record.state = 'released' OR (
        record.state = 'pending' AND record.fingerprint = excluded.fingerprint AND record.lease_until <= ${now}
        AND (?6 = 'take' OR ?6 = record.fence)
      )
      RETURNING fence, phases`,
    // Whatever the retention: between the two statements the clock may have moved.
    find: `SELECT ${rowColumns}, ${now} AS now FROM ${name} WHERE key = ?1`,
    // Two for each claim that took a key: what is over is gone sooner than new keys come.
    tidy: `
      DELETE FROM ${name} WHERE key IN (
        SELECT key FROM ${name}
        WHERE expires_at <= ${now} AND EXISTS (SELECT 1 FROM ${name} WHERE key = ?1 AND owner = ?2)
        ORDER BY expires_at LIMIT 2
      )`,
    complete: `
      UPDATE ${name} SET state = 'done', status = ?4, fields = ?5, request_id = ?6, body = ?7, expires_at = ${now} + ?8, phases = NULL
      WHERE ${held}`,
    renew: `UPDATE ${name} SET lease_until = ${now} + ?4, expires_at = max(expires_at, ${now} + ?4) WHERE ${held}`,
    // A merge patch of texts sets one name and leaves the others, whatever characters the name has.
    savePhase: `UPDATE ${name} SET phases = json_patch(coalesce(phases, '{}'), json_object(?4, ?5)) WHERE ${held}`,
    release: `UPDATE ${name} SET state = 'released', phases = NULL WHERE ${held}`,
    sweep: `DELETE FROM ${name} WHERE key IN (SELECT key FROM ${name} WHERE expires_at <= ${now} ORDER BY expires_at LIMIT ?1)`,
  }
}
