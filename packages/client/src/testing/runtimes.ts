import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { runOnWorkerd } from './workerd.js'

/** What makes calls in another runtime. */
export interface OtherRuntime {
  readonly name: string
  /** Gives the program in `make-calls.mjs` its order, and what it says in return; `trusted` is a certificate, as PEM, that it is to trust. */
  run(order: string, trusted?: string): Promise<string>
}

const require = createRequire(import.meta.url)
/** A file of a package that another one depends on. */
const fileOf = (owner: string, file: string): string => createRequire(require.resolve(`${owner}/package.json`)).resolve(file)

/** A runtime that runs programs. */
function byProgram(name: string, command: string, args: readonly string[]): OtherRuntime {
  const program = fileURLToPath(new URL('runtime-calls.mjs', import.meta.url))
  return {
    name,
    async run(order) {
      const { stdout } = await promisify(execFile)(command, [...args, program, order], { env: { ...process.env, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1', NODE_TLS_REJECT_UNAUTHORIZED: '0' } })
      return stdout
    },
  }
}

/** Bun, Deno and workerd, from their npm packages; the install scripts of those are not needed. */
export const otherRuntimes: readonly OtherRuntime[] = [
  byProgram('Bun', fileOf('bun', `@oven/bun-${platform()}-${arch() === 'arm64' ? 'aarch64' : arch()}/bin/bun`), []),
  byProgram('Deno', fileOf('deno', `@deno/${platform()}-${arch()}${platform() === 'linux' ? '-glibc' : ''}/deno`), ['run', '--no-remote', '--allow-net', '--allow-env', '--allow-read', '--allow-sys', '--unsafely-ignore-certificate-errors=127.0.0.1']),
  { name: 'workerd', run: (order, trusted) => runOnWorkerd(order, [], trusted) },
  { name: 'workerd with nodejs_compat', run: (order, trusted) => runOnWorkerd(order, ['nodejs_compat'], trusted) },
]

/** One request of {@link runCalls}. */
export interface RuntimeCall {
  readonly target: string
  readonly method: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Sent as often as it says at once, before the next call is made. [1] */
  readonly together?: number
  /** How the body is given. ['string'] */
  readonly bodyKind?: 'string' | 'bytes' | 'blob' | 'form' | 'params' | 'made' | 'request'
  /** The call is aborted after so many milliseconds. */
  readonly abortAfter?: number
}

/** What came of it. */
export interface RuntimeResult {
  readonly status?: number
  readonly body?: string
  readonly redirected?: boolean
  readonly verdict?: string
  readonly sent?: boolean | string
  readonly name?: string
  readonly message?: string
  readonly budgetSpent?: boolean
}

/**
 * Makes the calls in a process of that runtime, one after another, with the client as it is built (`npm run build`).
 * @param bare the runtime's own fetch in the place of the client
 * @param trusted a certificate, as PEM, that the runtime is to trust
 */
export async function runCalls(
  runtime: OtherRuntime,
  origin: string,
  calls: readonly RuntimeCall[],
  { bare = false, options = {}, trusted }: { bare?: boolean; options?: object; trusted?: string | undefined } = {},
): Promise<RuntimeResult[]> {
  return JSON.parse(await runtime.run(JSON.stringify({ origin, calls, bare, options }), trusted)) as RuntimeResult[]
}
