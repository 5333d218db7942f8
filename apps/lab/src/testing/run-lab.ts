import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { Row } from '../scenario.js'

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

/** How long a scenario's short form may take. */
export const longest = 240_000

/** What a run of the lab printed. */
export interface LabRun {
  readonly code: number | null
  readonly stderr: string
  /** The last line of standard output, where there is one. */
  readonly result: { readonly scenario: string; readonly rows: readonly Row[]; readonly ok: boolean } | undefined
}

/** Runs the built lab. */
export async function lab(...args: string[]): Promise<LabRun> {
  const child = spawn(process.execPath, [main, ...args])
  onTestFinished(() => void child.kill('SIGKILL'))
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  const [code] = (await once(child, 'close')) as [number | null]
  const last = stdout.trim().split('\n').at(-1) ?? ''
  return { code, stderr, result: last === '' ? undefined : (JSON.parse(last) as NonNullable<LabRun['result']>) }
}
