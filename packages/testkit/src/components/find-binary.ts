import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Directories that hold servers but are not on every user's PATH. */
const extraDirectories = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin', '/opt/homebrew/sbin']

/** The path of the first of `names` that can be run, from PATH and the usual places of servers. */
export function findBinary(...names: readonly string[]): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), ...extraDirectories]
  for (const name of names) {
    for (const directory of directories) {
      const path = join(directory, name)
      try {
        accessSync(path, constants.X_OK)
        return path
      } catch {
        // Not in this one.
      }
    }
  }
  return undefined
}

/** Thrown where a real component that a test needs is not on this machine. */
export class MissingComponent extends Error {
  /** @param packages those of Debian that it is in, where they have other names */
  constructor(name: string, packages = name) {
    super(`${name} is not installed; on Debian: sudo apt-get install -y --no-install-recommends ${packages}`)
    this.name = 'MissingComponent'
  }
}
