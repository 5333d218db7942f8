import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Runtime } from '../runtimes.js'
import type { CallerOptions, Job, Results } from './messages.js'

/** A client in a process of its own. It does one job at a time. */
export interface Caller {
  /** @throws Error with what the process said last, if it ends before */
  run<Wanted extends Job>(job: Wanted): Promise<Results[Wanted['kind']]>
  end(): Promise<void>
}

const script = fileURLToPath(new URL('main.js', import.meta.url))

/** Starts a client on a runtime. */
export function startCaller(runtime: Runtime, options: CallerOptions): Caller {
  const child = spawn(runtime.command, [...runtime.args, script, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1', NODE_OPTIONS: '', NODE_NO_WARNINGS: '1' },
  })
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-2_000)
  })
  // A process that is gone says so below.
  child.stdin.on('error', () => {})
  const exited = new Promise<void>((resolve) => {
    child.once('close', () => resolve())
    child.once('error', (error) => {
      complaint += error.message
      resolve()
    })
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async run<Wanted extends Job>(job: Wanted) {
      child.stdin.write(`${JSON.stringify(job)}\n`)
      const { value, done } = await lines.next()
      if (done === true) {
        await exited
        throw new Error(`${options.client} on ${runtime.name} ended without a result: ${complaint.trim()}`)
      }
      return JSON.parse(value) as Results[Wanted['kind']]
    },
    async end() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
