import { createTableSql, defaultTable } from '../table.js'
import type { D1DatabaseLike, D1StatementLike } from '../index.js'

/** How far ahead of the database's own clock the statements of {@link shifted} see it. */
export const databaseClock = { ahead: 0 }

const databaseNow = "CAST(unixepoch('subsec') * 1000 AS INTEGER)"

/** A database whose clock tests move on: every mention of it in a statement is shifted. */
export function shifted(database: D1Database): D1DatabaseLike {
  return {
    prepare(query) {
      if (!query.includes(databaseNow)) throw new Error(`no clock in ${query}`)
      return database.prepare(query.replaceAll(databaseNow, `(${databaseNow} + ${databaseClock.ahead})`))
    },
    batch: (statements) => database.batch(statements),
    exec: (query) => database.exec(query),
  }
}

/** A database that writes down each round trip, with how many statements it carried. */
export function counted(database: D1Database): { readonly database: D1DatabaseLike; readonly trips: number[] } {
  const trips: number[] = []
  const originals = new WeakMap<D1StatementLike, D1PreparedStatement>()
  const wrap = (statement: D1PreparedStatement): D1StatementLike => {
    const wrapped: D1StatementLike = {
      bind: (...values) => wrap(statement.bind(...values)),
      async run() {
        trips.push(1)
        return statement.run()
      },
    }
    originals.set(wrapped, statement)
    return wrapped
  }
  const batch = async (statements: readonly D1StatementLike[]) => {
    trips.push(statements.length)
    return database.batch(statements.map((each) => originals.get(each) as D1PreparedStatement))
  }
  return { trips, database: { prepare: (query) => wrap(database.prepare(query)), batch: batch as D1DatabaseLike['batch'], exec: (query) => database.exec(query) } }
}

/** Makes the table, empty, as the migration does. */
export async function emptyTable(database: D1Database, table = defaultTable): Promise<void> {
  await database.batch([
    database.prepare(`DROP TABLE IF EXISTS "${table}"`),
    ...createTableSql(table).split(';').filter((text) => text.trim() !== '').map((text) => database.prepare(text)),
  ])
}
