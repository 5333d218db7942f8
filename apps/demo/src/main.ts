import { readArguments, usage, type Arguments } from './arguments.js'
import { servePage } from './page/serve-page.js'
import { runActs, verdict } from './run-acts.js'
import type { ActResult, Snapshot } from './snapshot.js'
import { setStage, type Stage } from './stage/stage.js'

/** Signals by which a person ends the demo, with the exit code that a shell expects. */
const endings = { SIGINT: 130, SIGTERM: 143 } as const

let stage: Stage | undefined
let interrupted = false

async function main(): Promise<void> {
  const wanted = readWanted()
  for (const [signal, code] of Object.entries(endings)) {
    process.once(signal, () => {
      interrupted = true
      void (stage?.strike() ?? Promise.resolve()).finally(() => process.exit(code))
    })
  }
  const startedAt = performance.now()
  const results: ActResult[] = []
  let act: Snapshot['act'] = 'starting'
  let ok: boolean | undefined
  const set = (stage = await setStage(wanted))
  const snapshot = (): Snapshot => ({
    proxy: set.proxy,
    act,
    elapsedMs: Math.round(performance.now() - startedAt),
    sides: { plain: set.view('plain'), hopwise: set.view('hopwise') },
    results,
    ...(ok !== undefined && { ok }),
  })
  const page = wanted.once ? undefined : await servePage({ snapshot, port: wanted.port })
  say(`The orders API runs twice behind ${set.proxy}: as most services are, and with Hopwise.`)
  if (page !== undefined) say(`Watch it: ${page.url}`)

  await runActs(set, (begun) => {
    act = begun
    say(`act: ${begun}`)
  }, (result) => {
    results.push(result)
    say(`  plain   ${figures(result.plain)}\n  hopwise ${figures(result.hopwise)}`)
  })
  act = 'done'
  const { ok: good, complaints } = verdict(results)
  ok = good
  for (const complaint of complaints) say(complaint)
  say(good ? 'Hopwise lost nothing and doubled nothing; plain did in every act.' : 'Not as it should be.')
  if (wanted.json) console.log(JSON.stringify({ proxy: set.proxy, node: process.version, acts: results, ok: good }))
  if (page !== undefined) return say(`The page stays at ${page.url} until Ctrl-C.`)
  await set.strike()
  process.exitCode = good ? 0 : 1
}

function readWanted(): Arguments {
  try {
    return readArguments(process.argv.slice(2))
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${usage}`, { cause: error })
  }
}

function figures(result: ActResult['plain']): string {
  return Object.entries(result).map(([name, value]) => `${name} ${value}`).join(', ')
}

/** For people; standard output is for the JSON. */
function say(text: string): void {
  console.error(text)
}

main().catch(async (error: unknown) => {
  // In a terminal the signal ends the instances too, and an act stumbles over that before they are all gone.
  if (interrupted) return
  await stage?.strike()
  say(error instanceof Error ? error.message : String(error))
  process.exit(1)
})
