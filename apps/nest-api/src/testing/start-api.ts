import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { LoggerName, Platform } from '../arguments.js'

/** One line of the application's log. */
export type LogLine = Readonly<Record<string, unknown>>

/** The built application in a process of its own. */
export interface Api {
  readonly port: number
  readonly child: ChildProcess
  readonly lines: readonly LogLine[]
  /** The first line of which that is true, as soon as it is there. */
  line(isIt: (line: LogLine) => boolean): Promise<LogLine>
  /** Resolves with the next message of the process. */
  message(): Promise<unknown>
  /** Sends a signal, and gives how the process ended. */
  end(signal: NodeJS.Signals): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
}

/** A folder of its own for one test; gives the path of its database. */
export function temporaryDatabase(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hopwise-nest-api-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'orders.db')
}

/** Starts it on a free port, with the users alice and bob; killed when the test is over. `paused`: orders wait to be told. */
export async function startApi(platform: Platform, database: string, { logger = 'nest', paused = false }: { readonly logger?: LoggerName; readonly paused?: boolean } = {}): Promise<Api> {
  const program = fileURLToPath(new URL(`../../dist/${paused ? 'testing/paused-main' : 'main'}.js`, import.meta.url))
  const child = fork(program, ['--platform', platform, '--logger', logger, '--port', '0'], {
    // Those of the test runner would have it read the sources of packages.
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ORDERS_DATABASE: database, API_USERS: 'alice:token-of-alice,bob:token-of-bob', DRAIN_DEADLINE: '6s' },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines: LogLine[] = []
  const checks = new Set<() => void>()
  let complaints = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    complaints = (complaints + chunk.toString()).slice(-2_000)
  })
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (text) => {
    lines.push(readLine(text))
    for (const check of checks) check()
  })
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  const ended = exited.then(([code, signal]) => ({ code, signal }))

  const line = (isIt: (one: LogLine) => boolean) =>
    new Promise<LogLine>((resolve, reject) => {
      const check = (): void => {
        const found = lines.find(isIt)
        if (found === undefined) return
        checks.delete(check)
        resolve(found)
      }
      checks.add(check)
      check()
      void ended.then(({ code }) => reject(new Error(`the application ended with ${code}: ${complaints}`)))
    })

  const listening = await line((one) => textOf(one).startsWith('listening on '))
  return {
    port: Number(new URL(textOf(listening).slice('listening on '.length)).port),
    child,
    lines,
    line,
    message: async () => (await once(child, 'message'))[0] as unknown,
    end: (signal) => {
      child.kill(signal)
      return ended
    },
  }
}

/** What is written before there is a logger is no JSON. */
function readLine(text: string): LogLine {
  return text.startsWith('{') ? (JSON.parse(text) as LogLine) : { message: text }
}

/** The message of a line of either logger. */
export function textOf(line: LogLine): string {
  return String(line['message'] ?? line['msg'])
}
