/**
 * How to open connections to the file at `path`.
 * @param {'libsql' | 'node:sqlite'} driver
 * @param {string} path
 */
export async function opener(driver, path) {
  if (driver === 'node:sqlite') {
    const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
    return () => new DatabaseSync(path)
  }
  const { default: Database } = await import('libsql')
  return () => new Database(path)
}
