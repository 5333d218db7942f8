// The plain sum over all packages of what the last `turbo run test` ran, after each test that failed and why:
// `N passed, N failed, N skipped`. `--forget` removes the reports instead.
import { forgetReports, reports } from './reports.mjs'

if (process.argv.includes('--forget')) {
  forgetReports()
  process.exit(0)
}
const sum = { passed: 0, failed: 0, skipped: 0 }
for (const { of, report } of reports()) {
  // A suite that could not even load counts as a failure, although none of its tests ran.
  const unloaded = report.testResults.filter((suite) => suite.status === 'failed' && suite.assertionResults.length === 0)
  for (const suite of unloaded) console.log(`failed: ${of}: ${suite.name} did not load: ${suite.message}`)
  const failed = report.testResults.flatMap((suite) => suite.assertionResults.filter((one) => one.status === 'failed'))
  for (const { fullName, failureMessages } of failed) console.log(`failed: ${of}: ${fullName}\n  ${failureMessages.join('\n').replaceAll('\n', '\n  ')}`)
  sum.passed += report.numPassedTests
  sum.failed += report.numFailedTests + unloaded.length
  sum.skipped += report.numPendingTests + report.numTodoTests
}
console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`)
if (sum.passed === 0) {
  console.error('no test ran')
  process.exitCode = 1
}
if (sum.failed > 0) process.exitCode = 1
