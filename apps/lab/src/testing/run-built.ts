import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

/** What a built program of the lab printed. */
export interface BuiltRun {
  readonly code: number | null
  readonly stderr: string
  /** The last line of standard output; empty where there is none. */
  readonly last: string
}

/** Runs a file of `dist` to its end; killed when the test is over. */
export async function runBuilt(file: string, args: readonly string[]): Promise<BuiltRun> {
  const child = spawn(process.execPath, [fileURLToPath(new URL(`../../dist/${file}`, import.meta.url)), ...args])
  onTestFinished(() => void child.kill('SIGKILL'))
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stderr, last: stdout.trim().split('\n').at(-1) ?? '' }
}
