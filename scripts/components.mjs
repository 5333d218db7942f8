// The real components that tests and the demo run, how each is found, and how each is installed where it is missing.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Debian has PostgreSQL's server in a folder of its version. */
const postgresFolders = () => (existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql').map((version) => `/usr/lib/postgresql/${version}/bin`) : [])

/** The majors of Node that can be fetched as an npm package, for what has to run on another Node than this one. */
export const nodeMajors = [20, 22, 24, 26]

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
 * `node-22` is the newest Node 22, in the cache folder unless the running one is a Node 22; `node-sqlite` is Node 24
 * where the running one has no `node:sqlite`.
 */
export function ensureComponent(name, { root, quiet }) {
  if (name === 'node-sqlite') return process.getBuiltinModule?.('node:sqlite') === undefined ? ensureNode(24, root) : undefined
  const major = nodeMajors.find((one) => name === `node-${one}`)
  if (major !== undefined) return ensureNode(major, root)
  const component = components[name]
  const known = [...Object.keys(components), 'node-sqlite', ...nodeMajors.map((one) => `node-${one}`)]
  if (component === undefined) throw new Error(`unknown component ${name}; known: ${known.join(', ')}`)
  if (component.binaries.some(onPath)) return
  const mayInstall = platform() === 'debian' && process.getuid?.() === 0
  if (mayInstall) {
    console.error(`set-up: ${name} is missing, installing it with apt-get`)
    if (aptInstall(component.debian) && component.binaries.some(onPath)) return
  }
  if (!quiet || mayInstall) console.error(`set-up: ${name} is missing; to install it: ${commandFor(name)}`)
  else console.error(`set-up: ${name} is missing (${commandFor(name)}); going on without it`)
}

const nodeFolder = (major, root) => join(root, 'node_modules', '.cache', 'hopwise', `node-${major}`)
const distribution = `node-${process.platform}-${process.arch}`

/** Where the Node of that major version is once it was fetched. @hopwise/testkit's `findNode` looks in the same folder. */
export function nodeBinary(major, root) {
  return join(nodeFolder(major, root), 'node_modules', distribution, 'bin', 'node')
}

function ensureNode(major, root) {
  if (process.versions.node.startsWith(`${major}.`)) return
  const prefix = nodeFolder(major, root)
  if (existsSync(nodeBinary(major, root))) return
  console.error(`set-up: fetching Node ${major} for what has to run on it (this one is ${process.version})`)
  mkdirSync(prefix, { recursive: true })
  const args = ['install', '--prefix', prefix, '--ignore-scripts', '--no-save', '--no-package-lock', `${distribution}@${major}`]
  const done = spawnSync('npm', args, { stdio: ['ignore', 2, 2] })
  if (done.status !== 0) console.error(`set-up: Node ${major} could not be fetched: npm ${args.join(' ')}`)
}
