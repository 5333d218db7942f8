import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { durationField, parseOptions, valueField, type DurationInput } from '@hopwise/core'
import type { AdapterSetup, BootedAdapter } from './contract.js'
import { lendSetup } from './lend-setup.js'
import { rawConnect } from './raw-client.js'

/** A program that serves one case, in whatever runtime. */
export interface Program {
  /** The program itself, not a wrapper that starts it: only this one process is ended. */
  readonly command: string
  /** [[]] */
  readonly args?: readonly string[]
  /** Besides the environment of this process. [{}] */
  readonly env?: Readonly<Record<string, string>>
  /** [the working directory of this process] */
  readonly cwd?: string
  /** How long it may take until it listens. Range 10 ms to 10 min. ['20s'] */
  readonly listensWithin?: DurationInput
}

/** How much of what a program prints is kept for the text of an error, in characters. */
const mostPrinted = 8_192

/**
 * A `boot` for servers in a process of their own: starts the program for each case and ends it with SIGKILL.
 *
 * The program finds the setup in the environment variable `HOPWISE_CONTRACT`, for `contractSetup()` of
 * `@hopwise/testkit/program`. It listens on a free port of 127.0.0.1 and then prints a line of JSON with a `port` on its
 * standard output, such as `{"port":41234}`; every other line is passed over. Its standard input ends with this process:
 * then it should end as well.
 *
 * `drain` is SIGTERM, and over when the program has ended.
 *
 * `boot` rejects, with what the program printed, where it cannot be started, ends, is not listening in time, or listens
 * somewhere else than it says; `close` rejects where it ended before it was told to.
 * @throws HopwiseError `option-unknown`, `option-invalid`
 * @example adapterContract({ name, capabilities, boot: bootProgram({ command: 'bun', args: ['server.js'] }) })
 */
export function bootProgram(program: Program): (setup: AdapterSetup) => Promise<BootedAdapter> {
  const texts = (value: unknown) => typeof value === 'object' && value !== null && Object.values(value).every((one) => typeof one === 'string')
  const { listensWithin, ...command } = parseOptions('bootProgram', program, {
    command: { ...valueField<string>('the name or path of a program', (value) => typeof value === 'string' && value !== ''), required: true as const },
    args: valueField<readonly string[], readonly string[]>('a list of texts', (value) => Array.isArray(value) && texts(value), []),
    env: valueField<Readonly<Record<string, string>>, Readonly<Record<string, string>>>('texts by their names', (value) => texts(value) && !Array.isArray(value), {}),
    cwd: valueField<string>('the path of a folder', (value) => typeof value === 'string'),
    listensWithin: durationField({ min: '10ms', max: '10m', default: '20s' }),
  })
  return async (setup) => {
    const lent = await lendSetup(setup)
    const running = start(command, lent.text)
    let drained = false
    const drain = async (): Promise<void> => {
      drained = true
      await running.end('SIGTERM')
    }
    const close = async (): Promise<void> => {
      const over = running.ended() !== undefined
      await running.end('SIGKILL')
      await lent.close()
      // Its own end may be known only by now.
      const ended = running.ended()
      if (!drained && (over || ended?.by === 'itself')) throw new Error(`${command.command} ${ended?.how} before it was told to; ${running.printed()}`)
    }
    try {
      return { port: await within(listensWithin, running), drain, close }
    } catch (error) {
      await close().catch(() => {})
      throw new Error(`${command.command} ${(error as Error).message}; ${running.printed()}`, { cause: error })
    }
  }
}

/** How a program ended. */
interface Ended {
  readonly by: 'itself' | 'a signal'
  readonly how: string
}

/** A program that was started. */
interface Running {
  /** Rejects where it ends without a port, or says one where nobody listens. */
  readonly port: Promise<number>
  ended(): Ended | undefined
  printed(): string
  /** Sends it a signal where it still runs, and waits for its end. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

function start({ command, args, env, cwd }: { command: string; args: readonly string[]; env: Readonly<Record<string, string>>; cwd: string | undefined }, setup: string): Running {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env, HOPWISE_CONTRACT: setup }, stdio: ['pipe', 'pipe', 'pipe'] })
  let printed = ''
  const keep = (text: string): void => {
    printed = (printed + text).slice(-mostPrinted)
  }
  child.stderr.setEncoding('utf8').on('data', keep)
  child.stdout.setEncoding('utf8').on('data', keep)
  // A program that does not read its input may close it.
  child.stdin.on('error', () => {})
  const killWithThis = (): void => void child.kill('SIGKILL')
  process.once('exit', killWithThis)
  child.once('close', () => process.off('exit', killWithThis))
  return {
    port: portOf(child),
    ended: () => endOf(child),
    printed: () => (printed === '' ? 'it printed nothing' : `it printed:\n${printed}`),
    end: async (signal) => {
      if (child.pid === undefined || endOf(child) !== undefined) return
      const exited = once(child, 'exit')
      child.kill(signal)
      await exited
    },
  }
}

function endOf({ exitCode, signalCode }: ChildProcess): Ended | undefined {
  if (exitCode !== null) return { by: 'itself', how: `ended with exit code ${exitCode}` }
  return signalCode === null ? undefined : { by: 'a signal', how: `was ended by ${signalCode}` }
}

/** The port that a program says, once somebody listens there. */
async function portOf(child: ChildProcess): Promise<number> {
  const port = await new Promise<unknown>((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`cannot be started: ${error.message}`)))
    // Not at its exit: what it printed last may come later.
    child.once('close', () => reject(new Error(`${endOf(child)?.how} before it listened`)))
    let rest = ''
    child.stdout?.on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = (lines.pop() ?? '').slice(-mostPrinted)
      const said = lines.flatMap(portIn)
      if (said.length > 0) resolve(said[0])
    })
  })
  if (!Number.isInteger(port) || (port as number) < 1 || (port as number) > 65_535) throw new Error(`says that it listens on port ${JSON.stringify(port)}`)
  const connection = await rawConnect(port as number).catch((error: unknown) => {
    throw new Error(`says that it listens on port ${port as number}, but 127.0.0.1 cannot be reached there (${(error as Error).message})`)
  })
  connection.destroy()
  return port as number
}

function portIn(line: string): unknown[] {
  try {
    const said = JSON.parse(line) as { port?: unknown } | null
    return typeof said === 'object' && said?.port !== undefined ? [said.port] : []
  } catch {
    return []
  }
}

async function within(milliseconds: number, { port }: Running): Promise<number> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`has not said within ${milliseconds} ms on which port it listens`)), milliseconds)
  })
  return Promise.race([port, over]).finally(() => clearTimeout(timer))
}
