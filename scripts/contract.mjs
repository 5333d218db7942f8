// The adapters' contract, a row for each adapter, framework and runtime, from the reports of the last run.
//   --run    runs it first, in every package that has it
//   --json   prints {"rows":[…]} as the last line, instead of the table
//   --write  puts the table into the READMEs
//   --check  fails where a README has another table than this run
// Fails where a case failed or was left out.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nodeMajors } from './components.mjs'
import { forgetReports, reports, root } from './reports.mjs'

const asked = new Set(process.argv.slice(2))
const unknown = [...asked].filter((one) => !['--run', '--json', '--write', '--check'].includes(one))
if (unknown.length > 0) {
  console.error(`unknown option ${unknown[0]}: there are --json, --write and --check`)
  process.exit(2)
}

if (asked.has('--run')) {
  const run = (command, args) => {
    const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', process.stderr, process.stderr] })
    if (status !== 0) process.exitCode = status ?? 1
    return status === 0
  }
  if (!run(process.execPath, ['scripts/set-up.mjs', '--quiet', ...nodeMajors.map((major) => `node-${major}`)])) process.exit()
  forgetReports()
  run(process.execPath, ['node_modules/turbo/bin/turbo', 'run', 'contract', '--continue', '--concurrency=1', '--output-logs=errors-only', '--log-order=grouped'])
}

const rows = [...reports()].flatMap(({ report }) => report.testResults.flatMap((suite) => suite.assertionResults.flatMap(({ meta }) => meta.contract ?? [])))
rows.sort((one, other) => order(one).localeCompare(order(other), 'en', { numeric: true }))
if (rows.length === 0) fail('no contract ran')
for (const row of rows.filter(({ declared, passed, skipped }) => passed + skipped.length !== declared)) {
  fail(`${row.framework} on ${row.runtime}: of ${row.declared} cases ${row.passed} passed, ${row.failed} failed, ${row.skipped.length} are skipped for a reason`)
}

// A Node beside those that are always run would make the table another one on each machine.
const table = tableOf(rows.filter(({ runtime }) => !runtime.startsWith('node ') || nodeMajors.some((major) => runtime.startsWith(`node ${major}.`))))
for (const name of ['README.md', 'README.ko.md']) {
  const file = join(root, name)
  const text = readFileSync(file, 'utf8')
  const [begin, end] = ['<!-- contract -->\n', '<!-- /contract -->']
  const [head, rest] = text.split(begin)
  const [inside, tail] = rest.split(end)
  if (asked.has('--write')) writeFileSync(file, `${head}${begin}${table}${end}${tail}`)
  else if (asked.has('--check') && inside !== table) fail(`${name} has another table of the contract than this run; mend it with: npm run contract -- --write\n${table}`)
}
console.log(asked.has('--json') ? JSON.stringify({ rows }) : table)

function order({ adapter, framework, runtime }) {
  return `${adapter} ${framework} ${runtime}`
}

function fail(message) {
  console.error(`contract: ${message}`)
  process.exitCode = 1
}

/** A line for each adapter and framework, and for runtimes that do not differ; majors only, so that it is stable. */
function tableOf(all) {
  const major = (text) => text.replaceAll(/(\d+)\.\d+\.\d+\S*?(?=,| |$)/g, '$1')
  const lines = new Map()
  for (const { adapter, framework, runtime, declared, passed, skipped } of all) {
    const reasons = [...new Set(skipped.map(({ reason }) => reason))].map((reason) => `${skipped.filter((one) => one.reason === reason).length}: ${reason}`)
    const what = [`\`${adapter}\``, major(framework)]
    const came = [`${passed} of ${declared}`, reasons.join('; ')]
    const key = JSON.stringify([what, came])
    const line = lines.get(key) ?? { what, came, runtimes: [] }
    line.runtimes.push(major(runtime))
    lines.set(key, line)
  }
  const cells = [...lines.values()].map(({ what, runtimes, came }) => [...what, [...new Set(runtimes)].join(', ').replaceAll(/(?<=\d, )node /g, ''), ...came])
  return [['Adapter', 'Framework', 'Runtime', 'Cases passed', 'Not run, and why'], ['---', '---', '---', '---', '---'], ...cells].map((line) => `| ${line.join(' | ')} |\n`).join('')
}
