// Runs the tests of the package in the working directory, then once more on each other supported Node, as
// `set-up.mjs node-20 node-22 …` has fetched them. One report a Node, for sum-tests.mjs. Arguments go to the vitest of the
// others, such as the names of files. All Nodes run, whatever comes of the first, so that a failure hides no other one.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nodeBinary, nodeMajors } from './components.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')

function run(node, args, env = {}) {
  const { status } = spawnSync(node, [vitest, 'run', ...args], { stdio: 'inherit', env: { ...process.env, ...env } })
  if (status !== 0) process.exitCode = status ?? 1
}

run(process.execPath, [])
for (const major of nodeMajors) {
  if (process.versions.node.startsWith(`${major}.`)) continue
  const binary = nodeBinary(major, root)
  if (!existsSync(binary)) {
    console.error(`Node ${major} is not there; to fetch it: node scripts/set-up.mjs node-${major}`)
    process.exit(1)
  }
  console.error(`on Node ${major}:`)
  run(binary, process.argv.slice(2), { HOPWISE_REPORT: `.reports/node-${major}.json` })
}
