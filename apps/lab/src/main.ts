import { parseArgs } from 'node:util'
import { backendNames } from './backends/names.js'
import { crash } from './crash/crash.js'
import { memory } from './memory.js'
import { outage } from './outage.js'
import { roundtrips } from './roundtrips.js'
import { machine, type Scenario } from './scenario.js'

const scenarios: Readonly<Record<string, Scenario>> = { crash, outage, roundtrips, memory }

const usage = `npm run lab -- SCENARIO [--json] [--seed N] [--store NAME]... [--short]
${Object.entries(scenarios).map(([name, { about }]) => `  ${name.padEnd(11)}${about}`).join('\n')}
  --json     print one JSON object as the last line
  --seed     the seed of what is left to chance (default: 1)
  --store    only this one: ${backendNames.join(', ')}
  --short    less of everything, the same demands`

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      seed: { type: 'string', default: '1' },
      store: { type: 'string', multiple: true, default: [] },
      short: { type: 'boolean', default: false },
    },
  })
  const [name = '', ...more] = positionals
  const scenario = Object.hasOwn(scenarios, name) ? scenarios[name] : undefined
  if (scenario === undefined || more.length > 0) throw new Error(`one scenario is to be named: ${Object.keys(scenarios).join(', ')}`)
  const seed = Number(values.seed)
  if (!Number.isSafeInteger(seed)) throw new Error(`--seed is ${JSON.stringify(values.seed)}; allowed: a whole number`)
  for (const store of values.store) {
    if (!backendNames.includes(store)) throw new Error(`--store is ${JSON.stringify(store)}; allowed: ${backendNames.join(', ')}`)
  }
  const say = (text: string): void => console.error(text)
  const { rows, ok } = await scenario.run({ seed, stores: values.store, short: values.short, say })
  for (const row of rows) say(Object.entries(row).map(([figure, value]) => `${figure} ${value}`).join(', '))
  if (values.json) console.log(JSON.stringify({ scenario: name, seed, machine: machine(), rows, ok }))
  else say(ok ? 'ok' : 'NOT ok')
  process.exitCode = ok ? 0 : 1
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error))
  console.error(usage)
  process.exit(1)
})
