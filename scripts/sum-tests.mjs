// The plain sum over all packages of what the last `turbo run test` ran: `N passed, N failed, N skipped`.
// `--forget` removes the reports instead, so that a package that does not even start is not counted by an old one.
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const forget = process.argv.includes('--forget')
const sum = { passed: 0, failed: 0, skipped: 0 }
for (const group of ['packages', 'apps']) {
  for (const name of readdirSync(join(root, group))) {
    const folder = join(root, group, name, '.reports')
    if (forget) rmSync(folder, { recursive: true, force: true })
    if (!existsSync(folder)) continue
    for (const file of readdirSync(folder).filter((entry) => entry.endsWith('.json'))) {
      const report = JSON.parse(readFileSync(join(folder, file), 'utf8'))
      sum.passed += report.numPassedTests
      // A suite that could not even load counts as a failure, although none of its tests ran.
      const unloaded = report.testResults.filter((suite) => suite.status === 'failed' && suite.assertionResults.length === 0)
      sum.failed += report.numFailedTests + unloaded.length
      sum.skipped += report.numPendingTests + report.numTodoTests
    }
  }
}
if (forget) process.exit(0)
console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`)
if (sum.passed === 0) {
  console.error('no test ran')
  process.exitCode = 1
}
if (sum.failed > 0) process.exitCode = 1
