import { accessSync, constants } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * The path of a Node of this major version: the running one where it fits, else the one that `node scripts/set-up.mjs
 * node-<major>` has fetched.
 * @throws Error with that command, where there is none
 */
export function findNode(major: number): string {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath
  const distribution = `node-${process.platform}-${process.arch}`
  const path = fileURLToPath(new URL(`../../../../node_modules/.cache/hopwise/node-${major}/node_modules/${distribution}/bin/node`, import.meta.url))
  try {
    accessSync(path, constants.X_OK)
  } catch {
    throw new Error(`there is no ${path}; run \`node scripts/set-up.mjs node-${major}\` at the root`)
  }
  return path
}
