// The reports that the last `turbo run test` or `turbo run contract` left in each package.
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..')

function* folders() {
  for (const group of ['packages', 'apps']) {
    for (const name of readdirSync(join(root, group))) {
      const folder = join(root, group, name, '.reports')
      if (existsSync(folder)) yield { name: `${group}/${name}`, folder }
    }
  }
}

/** Each report with what it is of, such as `packages/koa node-22.json`. */
export function* reports() {
  for (const { name, folder } of folders()) {
    for (const file of readdirSync(folder).filter((entry) => entry.endsWith('.json')).toSorted()) {
      yield { of: `${name} ${file}`, report: JSON.parse(readFileSync(join(folder, file), 'utf8')) }
    }
  }
}

/** Removes them, so that a package that does not even start is not counted by an old one. */
export function forgetReports() {
  for (const { folder } of folders()) rmSync(folder, { recursive: true, force: true })
}
