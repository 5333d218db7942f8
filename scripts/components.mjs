// The real components that tests and the demo run, how each is found, and how each is installed where it is missing.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Debian has PostgreSQL's server in a folder of its version. */
const postgresFolders = () => (existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql').map((version) => `/usr/lib/postgresql/${version}/bin`) : [])

/** Directories that hold servers but are not on every user's PATH. */
const extraDirectories = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin']

/** name → the binaries that prove it is there, and its package on each platform. */
const components = {
  nginx: { binaries: ['nginx'], debian: 'nginx-light', fedora: 'nginx', macos: 'nginx' },
  haproxy: { binaries: ['haproxy'], debian: 'haproxy', fedora: 'haproxy', macos: 'haproxy' },
  redis: { binaries: ['redis-server'], debian: 'redis-server redis-tools', fedora: 'redis', macos: 'redis' },
  postgres: { binaries: ['initdb'], debian: 'postgresql', fedora: 'postgresql-server', macos: 'postgresql@17' },
  chromium: {
    binaries: ['chromium', 'chromium-browser', 'google-chrome'],
    debian: 'chromium fonts-dejavu-core',
    fedora: 'chromium',
    macos: '--cask chromium',
  },
}

function onPath(binary) {
  const directories = [...(process.env.PATH ?? '').split(delimiter), ...extraDirectories, ...postgresFolders()]
  return directories.some((directory) => {
    try {
      accessSync(join(directory, binary), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function platform() {
  if (process.platform === 'darwin') return 'macos'
  if (existsSync('/etc/os-release')) {
    const release = readFileSync('/etc/os-release', 'utf8')
    if (/^ID(_LIKE)?=.*(debian|ubuntu)/m.test(release)) return 'debian'
    if (/^ID(_LIKE)?=.*(fedora|rhel)/m.test(release)) return 'fedora'
  }
  return 'other'
}

function commandFor(name) {
  const component = components[name]
  switch (platform()) {
    case 'debian':
      return `sudo apt-get install -y --no-install-recommends ${component.debian}`
    case 'fedora':
      return `sudo dnf install -y ${component.fedora}`
    case 'macos':
      return `brew install ${component.macos}`
    default:
      return `install ${name} with your system's package manager and have it on PATH`
  }
}

function aptInstall(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const run = (args) => spawnSync('apt-get', args, { stdio: ['ignore', 2, 2], env }).status === 0
  const command = ['install', '-y', '--no-install-recommends', ...packages.split(' ')]
  // The lists may be absent or old on a new machine: refresh them, but only where the first try failed.
  return run(command) || (run(['update']) && run(command))
}

/**
 * Makes sure that `name` is on this machine, as far as this user may; says the command where he may not.
 * `node-sqlite` is another Node (24) in the cache folder, needed where the running one has no `node:sqlite`.
 */
export function ensureComponent(name, { root, quiet }) {
  if (name === 'node-sqlite') return ensureNode24(root)
  const component = components[name]
  if (component === undefined) throw new Error(`unknown component ${name}; known: ${Object.keys(components).join(', ')}, node-sqlite`)
  if (component.binaries.some(onPath)) return
  const mayInstall = platform() === 'debian' && process.getuid?.() === 0
  if (mayInstall) {
    console.error(`set-up: ${name} is missing, installing it with apt-get`)
    if (aptInstall(component.debian) && component.binaries.some(onPath)) return
  }
  if (!quiet || mayInstall) console.error(`set-up: ${name} is missing; to install it: ${commandFor(name)}`)
  else console.error(`set-up: ${name} is missing (${commandFor(name)}); going on without it`)
}

function ensureNode24(root) {
  if (process.getBuiltinModule?.('node:sqlite') !== undefined) return
  const prefix = join(root, 'node_modules', '.cache', 'hopwise', 'node-24')
  const distribution = `node-${process.platform}-${process.arch}`
  if (existsSync(join(prefix, 'node_modules', distribution, 'bin', 'node'))) return
  console.error(`set-up: this Node (${process.version}) has no node:sqlite; fetching Node 24 for the tests that need it`)
  mkdirSync(prefix, { recursive: true })
  const args = ['install', '--prefix', prefix, '--ignore-scripts', '--no-save', '--no-package-lock', `${distribution}@24`]
  const done = spawnSync('npm', args, { stdio: ['ignore', 2, 2] })
  if (done.status !== 0) console.error(`set-up: Node 24 could not be fetched: npm ${args.join(' ')}`)
}
