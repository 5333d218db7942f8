import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Program } from '@hopwise/testkit/adapter'

/** A runtime that is not Node: what starts a program on it. */
export interface OtherRuntime {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

const require = createRequire(import.meta.url)
/** A file of a package that another one depends on. */
const fileOf = (owner: string, file: string): string => createRequire(require.resolve(`${owner}/package.json`)).resolve(file)

/** Bun, from the npm package; its install script is not needed. */
export const bun: OtherRuntime = { command: fileOf('bun', `@oven/bun-${platform()}-${arch() === 'arm64' ? 'aarch64' : arch()}/bin/bun`), args: [], env: {} }

/** Deno, from the npm package, as above. */
export const deno: OtherRuntime = {
  command: fileOf('deno', `@deno/${platform()}-${arch()}${platform() === 'linux' ? '-glibc' : ''}/deno`),
  args: ['run', '--no-remote', '--allow-net', '--allow-env', '--allow-read', '--allow-sys'],
  env: { DENO_NO_UPDATE_CHECK: '1' },
}

/** A server that runs in a process of its own. */
export interface RunningProgram {
  /** What it said first. */
  readonly first: { readonly port: number }
  /** The next line that it says. */
  line(): Promise<string>
  tell(line: string): void
  end(): Promise<void>
}

/** Starts a program of `src/testing` on a runtime, and waits for its first line. */
export function startProgram({ command, args, env }: OtherRuntime, program: string, argument: unknown): Promise<RunningProgram> {
  return startCommand({ command, args: [...args, fileURLToPath(new URL(program, import.meta.url)), JSON.stringify(argument)], env })
}

/** Starts a program, and waits for its first line. */
export async function startCommand({ command, args, env }: OtherRuntime): Promise<RunningProgram> {
  const child = spawn(command, args, { env: { ...process.env, ...env, NO_COLOR: '1' }, stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  let complaints = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
    child.emit('said')
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text
  })
  const exited = once(child, 'exit')
  const line = async (): Promise<string> => {
    while (!said.includes('\n')) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${command} ended: ${complaints}`)
      await Promise.race([once(child, 'said'), exited])
    }
    const end = said.indexOf('\n')
    const whole = said.slice(0, end)
    said = said.slice(end + 1)
    return whole
  }
  const first = JSON.parse(await line()) as { port: number }
  return {
    first,
    line,
    tell: (text) => void child.stdin.write(`${text}\n`),
    end: async () => {
      child.stdin.end()
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** The contract's app on a runtime, with the store of the test. */
export function contractServer({ command, args, env }: OtherRuntime): Program {
  return { command, args: [...args, fileURLToPath(new URL('runtime-server.mjs', import.meta.url))], env }
}
