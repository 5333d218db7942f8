// Everything a fresh machine with only Node and npm needs, done once: the packages of the lock file by a pinned
// pnpm, and the real components named as arguments (`node scripts/set-up.mjs [--quiet] nginx chromium`).
// A component that cannot be installed here is named with the one command for this platform; what needs it then
// fails and says so, nothing is skipped.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureComponent } from './components.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const stamp = join(root, 'node_modules', '.cache', 'hopwise', 'installed')

/** One digest over whatever decides what is installed: the lock file and every manifest. */
function wantedInstall() {
  const hash = createHash('sha256')
  const manifests = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', 'packages/nest/nest11/package.json']
  for (const group of ['packages', 'apps']) {
    for (const name of readdirSync(join(root, group)).toSorted()) manifests.push(`${group}/${name}/package.json`)
  }
  for (const file of manifests) {
    if (existsSync(join(root, file))) hash.update(file).update('\0').update(readFileSync(join(root, file)))
  }
  return hash.digest('hex')
}

function install(wanted) {
  const pinned = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager
  const args = ['-y', pinned, 'install', '--frozen-lockfile', '--prefer-offline']
  const npx = process.platform === 'win32' ? 'npx.cmd' : 'npx'
  const done = spawnSync(npx, args, { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' })
  if (done.status !== 0) {
    console.error(`set-up: \`npx ${args.join(' ')}\` failed (${done.error?.message ?? `exit ${done.status}`})`)
    process.exit(1)
  }
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, wanted)
}

const quiet = process.argv.includes('--quiet')
const wanted = wantedInstall()
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) install(wanted)
for (const name of process.argv.slice(2).filter((arg) => !arg.startsWith('--'))) ensureComponent(name, { root, quiet })
