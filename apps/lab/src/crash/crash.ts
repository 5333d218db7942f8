import { setTimeout as wait } from 'node:timers/promises'
import { startBackend } from '../backends/start.js'
import { openBackend } from '../backends/open.js'
import { backendNames, storeOption } from '../backends/names.js'
import { defineScenario, seededRandom, type Asked, type Row } from '../scenario.js'
import { Fleet } from './fleet.js'
import { retryUntilAnswered, type Answer } from './retrying-client.js'

/** How long a claim holds in leased mode; a killed worker's keys are decided within this and one second. */
const leaseMs = 2_000
const workers = 3

/** Worker processes are killed at random instants while clients retry until they are answered; effects are counted. */
export const crash = defineScenario({
  about: 'workers SIGKILLed at random instants, clients that retry until answered, effects counted',
  options: { store: storeOption },
  run: async ({ store }, asked) => {
    const rows: Row[] = []
    for (const name of backendNames.filter((one) => one !== 'sqlite' && (store.length === 0 || store.includes(one)))) {
      asked.say(`crash: ${name}`)
      rows.push(await crashOne(name, asked))
    }
    return { rows, ok: rows.length > 0 && rows.every(meets) }
  },
})

/** Same transaction: exactly once. Leased, with `onCrash: 'reject'`: at most once. Nobody gets another's answer. */
function meets({ mode, keys, kills, wanted_kills: wanted, effects, divergent, lost, foreign, doubled, recovery_ms_max: recovery }: Row): boolean {
  const exactly = mode === 'same-transaction' ? effects === keys : Number(effects) <= Number(keys)
  return exactly && Number(kills) >= Number(wanted) && lost === 0 && divergent === 0 && foreign === 0 && doubled === 0 && Number(recovery) <= leaseMs + 1_000
}

async function crashOne(name: string, { seed, short }: Asked): Promise<Row> {
  const [keys, duplicates, wantedKills] = short ? [60, 10, 20] : [1_000, 20, 200]
  const random = seededRandom(seed)
  const server = await startBackend(name)
  const fleet = new Fleet(server.address, leaseMs)
  try {
    await fleet.start(workers)
    const jobs = Array.from({ length: keys * duplicates }, (_, at) => `key-${Math.floor(at / duplicates)}`)
    const answers: Answer[] = []
    let next = 0
    let kills = 0
    /** The work is held back so that the kills are spread over the whole of it. */
    const ahead = (): boolean => kills < wantedKills * (next / jobs.length)
    const lane = async (): Promise<void> => {
      while (next < jobs.length) {
        if (ahead()) {
          await wait(5)
          continue
        }
        const key = jobs[next++] ?? ''
        answers.push(await retryUntilAnswered(fleet, key, random))
      }
    }
    const work = Promise.all(Array.from({ length: 40 }, lane))
    let over = false
    void work.finally(() => {
      over = true
    })
    const killing = (async () => {
      while (!over) {
        await wait(20 + random() * 80)
        if (kills < wantedKills && (await fleet.killOne(random))) kills++
      }
    })()
    await work
    await killing
    return { store: name.replace('-tx', ''), ...(await verdict(server.address, answers, keys)), kills, wanted_kills: wantedKills, duplicates, version: server.version }
  } finally {
    fleet.killAll()
    await server.stop()
  }
}

async function verdict(address: Parameters<typeof openBackend>[0], answers: readonly Answer[], keys: number): Promise<Row> {
  const backend = await openBackend(address)
  const effects = await backend.effects()
  await backend.close()
  const byKey = new Map<string, Set<string>>()
  for (const { key, body } of answers) if (body !== undefined) byKey.set(key, (byKey.get(key) ?? new Set()).add(body))
  const counts = [...effects.values()]
  return {
    mode: backend.mode,
    keys,
    responses: answers.length,
    effects: counts.reduce((sum, count) => sum + count, 0),
    doubled: counts.filter((count) => count > 1).length,
    divergent: [...byKey.values()].filter((bodies) => bodies.size > 1).length,
    lost: answers.filter(({ outcome }) => outcome === 'lost').length,
    unknown: answers.filter(({ outcome }) => outcome === 'unknown').length,
    foreign: answers.filter(({ foreign }) => foreign).length,
    recovery_ms_max: Math.round(Math.max(0, ...answers.map(({ recoveryMs }) => recoveryMs))),
  }
}
