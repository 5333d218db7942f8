import { errorText } from '@hopwise/core'
import type { ContractCase } from './contract.js'

/** What came of a run: plain data, so that it can cross a process or an isolate as JSON. */
export interface CasesReport {
  /** The names of the cases that passed. */
  readonly passed: string[]
  readonly failed: { readonly name: string; readonly error: string }[]
}

/** Runs the cases one after another, where there is no test runner: in a Worker, on another runtime, in a child process. */
export async function runCases(cases: readonly ContractCase[]): Promise<CasesReport> {
  const report: CasesReport = { passed: [], failed: [] }
  for (const { name, run } of cases) {
    try {
      await run()
      report.passed.push(name)
    } catch (error) {
      report.failed.push({ name, error: errorText(error) })
    }
  }
  return report
}
