import { loadavg } from 'node:os'
import { describeOptions, readOptions } from '../options.js'
import { machine } from '../scenario.js'
import { clientSuite } from './client/suite.js'

/** Suites by their names. */
const suites: Readonly<Record<string, typeof clientSuite>> = { client: clientSuite }

const options = {
  rounds: { kind: 'whole', min: 3, max: 1_000, about: 'how many rounds are measured [100; 10 with --short]' },
  seed: { kind: 'whole', about: 'the seed of the order in each round [1]' },
  short: { kind: 'flag', about: 'fewer rounds' },
  json: { kind: 'flag', about: 'print one JSON object as the last line' },
} as const

function usage(): string {
  const lines = Object.entries(suites).map(([name, { about }]) => `  ${name.padEnd(8)}${about}`)
  return ['npm run bench -- SUITE [option]...', ...lines, ...describeOptions(options).map((line) => `    ${line}`)].join('\n')
}

async function main([name = '', ...rest]: readonly string[]): Promise<void> {
  const suite = Object.hasOwn(suites, name) ? suites[name] : undefined
  if (suite === undefined) throw new Error(`there is no suite ${JSON.stringify(name)}; there are: ${Object.keys(suites).join(', ')}`)
  const { rounds, seed = 1, short, json } = readOptions(name, rest, options)
  const say = (text: string): void => console.error(text)
  const loadBefore = Number(loadavg()[0]?.toFixed(2))
  const rows = await suite.run({ rounds: rounds ?? (short ? 10 : 100), seed, say })
  for (const row of rows) say(Object.entries(row).map(([figure, value]) => `${figure} ${value}`).join(', '))
  if (json) console.log(JSON.stringify({ suite: name, rows, seed, machine: { ...machine(), load_before: loadBefore } }))
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error))
  console.error(usage())
  process.exit(1)
})
