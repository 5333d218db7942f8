import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

/** A program in a process of its own, killed with its test. */
export interface StartedProcess {
  readonly child: ChildProcess
  /** What it has printed so far. */
  readonly lines: readonly string[]
  /** The first line that begins so, once it is there; rejects where the process is gone and did not print it. */
  line(beginning: string): Promise<string>
  /** Resolves once that holds, looked at with each line; rejects where the process is gone before. */
  until(holds: () => boolean): Promise<void>
  /** The port that it prints as `port 1234`. */
  port(): Promise<number>
  readonly exited: Promise<[code: number | null, signal: NodeJS.Signals | null]>
  /** What it has written to standard error. */
  errors(): string
}

/**
 * Starts a program with the Node that runs the tests.
 * @param script relative to `src`
 * @param env beside the environment of the tests
 */
export function startProcess(script: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): StartedProcess {
  return startCommand(process.execPath, [fileURLToPath(new URL(`../${script}`, import.meta.url)), ...args], env)
}

/** Starts any command. */
export function startCommand(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): StartedProcess {
  const child = spawn(command, args, { env: { ...process.env, ...env } })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines: string[] = []
  let errors = ''
  let gone = false
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  const reader = createInterface({ input: child.stdout })
  const waiting = new Set<() => void>()
  const wakeAll = (): void => {
    for (const wake of waiting) wake()
    waiting.clear()
  }
  reader.on('line', (line) => {
    lines.push(line)
    wakeAll()
  })
  reader.on('close', () => {
    gone = true
    wakeAll()
  })
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) {
      if (gone) throw new Error(`the process is gone; it printed ${JSON.stringify(lines)} and ${errors}`)
      await new Promise<void>((resolve) => waiting.add(resolve))
    }
  }
  const line = async (beginning: string): Promise<string> => {
    let found: string | undefined
    await until(() => (found = lines.find((one) => one.startsWith(beginning))) !== undefined)
    return found ?? ''
  }
  return {
    child,
    lines,
    line,
    until,
    port: async () => Number((await line('port ')).split(' ')[1]),
    // 'close' comes when its output has been read to the end as well.
    exited: once(child, 'close') as StartedProcess['exited'],
    errors: () => errors,
  }
}
