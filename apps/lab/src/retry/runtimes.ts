import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { nodesOf } from '../nodes.js'

/** Where the clients run. */
export const runtimeNames = ['node20', 'node22', 'node24', 'bun', 'deno'] as const

/** One of {@link runtimeNames}. */
export type RuntimeName = (typeof runtimeNames)[number]

/** Whether it tells what becomes of a connection: by its diagnostics channels, as Node does. */
export function tellsOfConnections(name: RuntimeName): boolean {
  return name !== 'bun' && name !== 'deno'
}

/** What starts a program on a runtime. */
export interface Runtime {
  readonly name: RuntimeName
  readonly version: string
  readonly command: string
  readonly args: readonly string[]
}

const require = createRequire(import.meta.url)
/** A file of a package that another one depends on. */
const fileOf = (owner: string, file: string): string => createRequire(require.resolve(`${owner}/package.json`)).resolve(file)

/** The runtime on this machine: Node is fetched where it is missing; Bun and Deno come with their packages, whose install scripts are not needed. */
export async function findRuntime(name: RuntimeName): Promise<Runtime> {
  switch (name) {
    case 'bun':
      return runtime(name, fileOf('bun', `@oven/bun-${platform()}-${arch() === 'arm64' ? 'aarch64' : arch()}/bin/bun`), [])
    case 'deno':
      // The certificate of the HTTP/2 sites is one that nobody vouches for.
      return runtime(name, fileOf('deno', `@deno/${platform()}-${arch()}${platform() === 'linux' ? '-glibc' : ''}/deno`), [
        'run', '--no-remote', '--allow-net', '--allow-env', '--allow-read', '--allow-sys', '--unsafely-ignore-certificate-errors=127.0.0.1',
      ])
    default: {
      const [node] = await nodesOf([name.slice('node'.length)])
      if (node === undefined) throw new Error(`there is no ${name}`)
      return { name, version: node.version, command: node.path, args: [] }
    }
  }
}

function runtime(name: RuntimeName, command: string, args: readonly string[]): Runtime {
  const { stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' })
  const version = /\d+\.\d+\.\d+/.exec(stdout)?.[0]
  if (version === undefined) throw new Error(`${command} does not run here`)
  return { name, version, command, args }
}
