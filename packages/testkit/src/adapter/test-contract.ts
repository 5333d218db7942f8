import type { AdapterContract } from './contract.js'
import { assertComplete } from './row.js'

/** What test runners hand to a test: `node:test` and Vitest do. */
interface TestContext {
  readonly skip: (reason?: string) => void
  /** Vitest's; the row is put into its `meta`, from where reporters take it. */
  readonly task?: { readonly meta: object }
}

/**
 * Registers the cases of a contract with a test runner: each case, each skipped one as skipped with its reason, and last
 * a test that fails where fewer ran than were declared.
 * @param test `test` of `node:test` or Vitest, or anything that registers a name with a function and runs them in turn
 */
export function testAdapterContract(contract: AdapterContract, test: (name: string, body: (context: TestContext) => Promise<void> | void) => unknown): void {
  for (const { name, run } of contract.cases) test(name, () => run())
  for (const { name, reason } of contract.skipped) test(name, (context) => context.skip(reason))
  const { framework, runtime, declared } = contract.row()
  test(`${framework} on ${runtime}: all of ${declared} cases ran or are skipped for a reason`, ({ task }) => {
    const row = contract.row()
    if (task !== undefined) Object.assign(task.meta, { contract: row })
    assertComplete(row)
  })
}
