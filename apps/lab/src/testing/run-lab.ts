import type { Row } from '../scenario.js'
import { runBuilt } from './run-built.js'

/** How long a scenario's short form may take. */
export const longest = 240_000

/** What a run of the lab printed. */
export interface LabRun {
  readonly code: number | null
  readonly stderr: string
  /** The last line of standard output, where there is one. */
  readonly result: { readonly scenario: string; readonly rows: readonly Row[]; readonly figures?: readonly Row[]; readonly ok: boolean } | undefined
}

/** Runs the built lab. */
export async function lab(...args: string[]): Promise<LabRun> {
  const { code, stderr, last } = await runBuilt('main.js', args)
  return { code, stderr, result: last === '' ? undefined : (JSON.parse(last) as NonNullable<LabRun['result']>) }
}
