import { defineScenario, type Row } from '../scenario.js'
import { cases, methods, type Case, type Method } from './cases.js'
import { clientNames, clients, isHopwise, type ClientName } from './clients/registry.js'
import { runCounted } from './counted/counted.js'
import { unmetOfFigure } from './counted/demands.js'
import type { Figure } from './counted/figures.js'
import { againstTarget, type AgainstTarget } from './counted/target.js'
import { unmetDemand } from './demands.js'
import { runRows, type RetryRow } from './row.js'
import { findRuntime, runtimeNames, type Runtime, type RuntimeName } from './runtimes.js'
import { startFaultServer, type FaultServer } from './server/handle.js'

/** How many clients are at work at a time. Most of them wait most of the time. */
const atATime = 6
/** Where it is counted. */
const countedRuntimes: readonly RuntimeName[] = ['node24', 'bun', 'deno']
/** The short form, as far as nothing else is asked for: Hopwise, and peers that are known to give up or to double. */
const shortly = {
  clients: ['hopwise', 'hopwise-undici8', 'fetch', 'axios-retry', 'p-retry'] as readonly ClientName[],
  runtimes: ['node24', 'deno'] as readonly RuntimeName[],
  methods: ['GET', 'POST', 'POST+key'] as readonly Method[],
  peersPatienceMs: 2_000,
  losses: 1_000,
  outageCalls: 250,
  countedRuntimes: ['node24'] as readonly RuntimeName[],
}

/** A client on a runtime. */
interface Pair {
  readonly client: ClientName
  readonly runtime: Runtime
}

/** How often a server sees a request when connections die, streams are refused and answers are errors: Hopwise and its peers. */
export const retry = defineScenario({
  about: 'connections that die under requests: how often the server sees each, from Hopwise and ten peers on five runtimes',
  options: {
    client: { kind: 'words', allowed: clientNames, about: 'only this client; may be said several times' },
    runtime: { kind: 'words', allowed: runtimeNames, about: 'only this runtime; may be said several times' },
    case: { kind: 'words', allowed: cases.map(({ name }) => name), about: 'only this case; may be said several times' },
    method: { kind: 'words', allowed: methods, about: 'only this request; may be said several times' },
    losses: { kind: 'whole', min: 0, max: 1_000_000, about: 'how many calls of Hopwise lose their connection; 0: nothing is counted [100,000]' },
    'outage-calls': { kind: 'whole', min: 200, max: 1_000_000, about: 'how many calls each outage has [10,000]' },
  },
  run: async (values, { seed, short, say }) => {
    const only = <T extends string>(said: readonly string[], all: readonly T[], shorter: readonly T[]): readonly T[] => (said.length > 0 ? all.filter((one) => said.includes(one)) : short ? shorter : all)
    const wantedCases = cases.filter(({ name }) => values.case.length === 0 || values.case.includes(name))
    const wantedMethods = only(values.method, methods, shortly.methods)
    const pairs = await pairsOf(only(values.client, clientNames, shortly.clients), only(values.runtime, runtimeNames, shortly.runtimes), say)
    if (!pairs.some((pair) => wantedCases.some(canRun(pair)))) throw new Error(`retry: ${values.case.join(', ')} is about HTTP/2, and none of these speaks it: ${pairs.map(({ client, runtime }) => `${client} on ${runtime.name}`).join(', ')}`)
    const countable = short && values.runtime.length === 0 ? shortly.countedRuntimes : countedRuntimes
    const counted = pairs.filter(({ client, runtime }) => isHopwise(client) && countable.includes(runtime.name))
    if (values.losses !== undefined && values.losses > 0 && counted.length === 0) throw new Error(`retry: --losses is counted of ${clientNames.filter(isHopwise).join(', ')} on ${countable.join(', ')}, and none of them is asked for`)
    const { losses = short ? shortly.losses : 100_000, 'outage-calls': outageCalls = short ? shortly.outageCalls : 10_000 } = values

    const server = await startFaultServer()
    try {
      const rowsOf = async (pair: Pair): Promise<RetryRow[]> => {
        const { client, runtime } = pair
        const patience = short && !isHopwise(client) ? shortly.peersPatienceMs : Infinity
        const rows = await runRows(server, client, runtime, wantedCases.filter(canRun(pair)).map((one) => ({ ...one, patienceMs: Math.min(one.patienceMs, patience) })), wantedMethods)
        say(`retry: ${client} on ${runtime.name}: ${rows.length} rows`)
        return rows
      }
      const rows = (await allOf(pairs, rowsOf)).flat()
      const figures = await countedOf(server, counted.slice(0, losses), { losses, outageCalls, seed, timed: !short, say })
      const unmet = [...rows.map(unmetDemand).filter((complaint) => complaint !== undefined), ...figures.flatMap(({ unmet: complaints }) => complaints)]
      for (const complaint of unmet) say(`NOT met: ${complaint}`)
      return { rows: rows.map((row): Row => ({ ...row })), figures: figures.map(({ figure }): Row => ({ ...figure })), unmet, ok: unmet.length === 0 }
    } finally {
      await server.end()
    }
  },
})

async function pairsOf(wanted: readonly ClientName[], wantedRuntimes: readonly RuntimeName[], say: (text: string) => void): Promise<Pair[]> {
  const pairs: Pair[] = []
  for (const name of wantedRuntimes) {
    const runsHere = (client: ClientName): boolean => clients[client].runtimes.some((one) => one === name)
    const [here, elsewhere] = [wanted.filter(runsHere), wanted.filter((client) => !runsHere(client))]
    if (elsewhere.length > 0) say(`retry: not on ${name}: ${elsewhere.join(', ')}`)
    if (here.length === 0) continue
    const runtime = await findRuntime(name)
    say(`retry: ${name} is ${runtime.version}`)
    pairs.push(...here.map((client) => ({ client, runtime })))
  }
  if (pairs.length === 0) throw new Error(`retry: none of ${wanted.join(', ')} runs on ${wantedRuntimes.join(', ')}`)
  return pairs
}

/** Whether a client speaks what the case is about. */
function canRun({ client, runtime }: Pair): (one: Case) => boolean {
  return ({ protocol }) => protocol === 'http/1.1' || clients[client].http2.some((name) => name === runtime.name)
}

/** Does the work for each pair, some at a time; the results are in the order of the pairs. */
async function allOf<T>(pairs: readonly Pair[], work: (pair: Pair) => Promise<T>): Promise<T[]> {
  const results: T[] = []
  const waiting = [...pairs.entries()]
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) results[next[0]] = await work(next[1])
  }
  await Promise.all(Array.from({ length: atATime }, worker))
  return results
}

/** What is counted, and how it is judged. */
interface Counting {
  readonly losses: number
  readonly outageCalls: number
  readonly seed: number
  /** Whether milliseconds count. */
  readonly timed: boolean
  readonly say: (text: string) => void
}

/** Shares the losses out among Hopwise's clients, and counts one after another. */
async function countedOf(server: FaultServer, counted: readonly Pair[], { losses, outageCalls, seed, timed, say }: Counting): Promise<{ figure: Figure & AgainstTarget; unmet: string[] }[]> {
  const figures: { figure: Figure & AgainstTarget; unmet: string[] }[] = []
  for (const [at, pair] of counted.entries()) {
    const share = Math.floor(losses / counted.length) + (at < losses % counted.length ? 1 : 0)
    say(`retry: counting, ${pair.client} on ${pair.runtime.name}, ${share} losses`)
    for (const figure of await runCounted(server, { ...pair, losses: share, outageCalls, seed })) figures.push({ figure: { ...figure, ...againstTarget(figure, timed) }, unmet: unmetOfFigure(figure, timed) })
  }
  return figures
}
