// Rules of the house that no linter knows: file length, what core may touch, tests that are narrowed, fetched addresses.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const mostLines = 400
const files = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' }).stdout.split('\n').filter(Boolean)
const code = files.filter((file) => /\.(ts|mjs|js|css|html)$/.test(file))
const complaints = []

for (const file of code) {
  let text
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    continue
  }
  const lines = text.split('\n').length - 1
  if (lines > mostLines) complaints.push(`${file}: ${lines} lines, ${mostLines} are allowed`)
  if (file.endsWith('.test.ts') && /\b(test|it|describe)\.(only|skip|todo)\b/.test(text)) complaints.push(`${file}: a test is narrowed or skipped`)
  if (/^packages\/[^/]+\/src\//.test(file) && !file.endsWith('.test.ts')) {
    if (/: any\b|\bas any\b|@ts-ignore|@ts-expect-error/.test(text)) complaints.push(`${file}: types are switched off`)
    if (/^export default/m.test(text)) complaints.push(`${file}: a default export`)
  }
  if (file.startsWith('packages/core/src/') && !file.endsWith('.test.ts') && /from '(node:|[^.'])/.test(text)) {
    complaints.push(`${file}: core imports something that is not core`)
  }
}
if (files.includes('package-lock.json')) complaints.push('package-lock.json: the lock file is pnpm-lock.yaml')

for (const complaint of complaints) console.error(complaint)
if (complaints.length > 0) process.exit(1)
console.log(`house rules hold in ${code.length} files`)
