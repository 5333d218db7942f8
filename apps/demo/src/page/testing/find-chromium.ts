import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

const usual = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const names = ['chromium', 'chromium-browser', 'google-chrome']

/**
 * The path of an installed Chromium, which playwright-core does not bring along.
 * @throws Error that says how to install it; a test without a browser fails, it is not skipped
 */
export function findChromium(candidates: readonly string[] = [...usual, ...onPath()]): string {
  const found = candidates.find(isExecutable)
  if (found !== undefined) return found
  throw new Error('chromium was not found; install it with: sudo apt-get install -y --no-install-recommends chromium fonts-dejavu-core')
}

function onPath(): readonly string[] {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  return folders.flatMap((folder) => names.map((name) => join(folder, name)))
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
