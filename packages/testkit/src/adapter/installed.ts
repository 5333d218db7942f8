import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

/**
 * Name and version of a package that a file can import, such as `express 5.1.0`: what a contract calls `framework`.
 * @param from the `import.meta.url` of that file
 * @throws Error where it is not installed
 */
export function installed(name: string, from: string): string {
  for (const folder of createRequire(from).resolve.paths(name) ?? []) {
    const file = join(folder, name, 'package.json')
    if (!existsSync(file)) continue
    const found = JSON.parse(readFileSync(file, 'utf8')) as { name: string; version: string }
    return `${found.name} ${found.version}`
  }
  throw new Error(`the package ${name} is not installed where ${from} could import it`)
}
