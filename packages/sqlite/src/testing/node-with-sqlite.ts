import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** This Node if it has `node:sqlite`, else the one that the set-up fetched. */
export function nodeWithSqlite(): string {
  if (process.getBuiltinModule('node:sqlite') !== undefined) return process.execPath
  const platform = `node-${process.platform}-${process.arch}`
  const path = fileURLToPath(new URL(`../../../../node_modules/.cache/hopwise/node-24/node_modules/${platform}/bin/node`, import.meta.url))
  if (!existsSync(path)) throw new Error(`${process.version} has no node:sqlite, and there is no ${path}; run \`node scripts/set-up.mjs node-sqlite\` at the root`)
  return path
}
