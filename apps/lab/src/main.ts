import { crash } from './crash/crash.js'
import { exactlyOnce } from './exactly-once/exactly-once.js'
import { lag } from './lag/lag.js'
import { matrix } from './matrix/matrix.js'
import { memory } from './memory.js'
import { describeOptions, readOptions } from './options.js'
import { outage } from './outage.js'
import { retry } from './retry/retry.js'
import { rolling } from './rolling/rolling.js'
import { roundtrips } from './roundtrips.js'
import { machine, type Scenario } from './scenario.js'

const scenarios: Readonly<Record<string, Scenario>> = { crash, outage, roundtrips, memory, rolling, matrix, lag, retry, 'exactly-once': exactlyOnce }

const common = {
  json: { kind: 'flag', about: 'print one JSON object as the last line' },
  seed: { kind: 'whole', about: 'the seed of what is left to chance [1]' },
  short: { kind: 'flag', about: 'less of everything, the same demands' },
} as const

function usage(): string {
  const lines = Object.entries(scenarios).flatMap(([name, { about, options }]) => [`  ${name.padEnd(14)}${about}`, ...describeOptions(options).map((line) => `    ${line}`)])
  return ['npm run lab -- SCENARIO [option]...', ...lines, '  all of them:', ...describeOptions(common).map((line) => `    ${line}`)].join('\n')
}

async function main(args: readonly string[]): Promise<void> {
  const at = args.findIndex((arg) => Object.hasOwn(scenarios, arg))
  const name = args[at] ?? ''
  const scenario = scenarios[name]
  if (scenario === undefined) throw new Error(`one scenario is to be named: ${Object.keys(scenarios).join(', ')}`)
  const { json, seed = 1, short, ...values } = readOptions(name, args.toSpliced(at, 1), { ...scenario.options, ...common })
  const say = (text: string): void => console.error(text)
  const { rows, ok, ...more } = await scenario.run(values, { seed, short, say })
  for (const row of [...rows, ...(more.figures ?? [])]) say(Object.entries(row).map(([figure, value]) => `${figure} ${value}`).join(', '))
  if (json) console.log(JSON.stringify({ scenario: name, seed, machine: machine(), rows, ...more, ok }))
  else say(ok ? 'ok' : 'NOT ok')
  process.exitCode = ok ? 0 : 1
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error))
  console.error(usage())
  process.exit(1)
})
