import { startLabChild } from '../../lab-child.js'
import { seededRandom, type Row } from '../../scenario.js'
import { quantile } from '../quantile.js'
import { startCaller, type Caller } from './caller-handle.js'
import { contestants, pairs, type ContestantName } from './contestants.js'
import type { FromServer, Method, RoundOrder } from './messages.js'

/** How a suite is to be run. */
export interface SuiteOrder {
  readonly rounds: number
  readonly seed: number
  readonly say: (text: string) => void
}

/** Microseconds a call of each measured round, in the rounds' order. */
interface Measured {
  readonly wall: number[]
  readonly cpu: number[]
}

const names = Object.keys(contestants) as ContestantName[]
/** Rounds that are thrown away, of each cell; never more than are measured. */
const warmUpRounds = 8
/** Short rounds, many of them: what else the machine does meets both sides of a ratio. */
const cells: readonly { readonly method: Method; readonly concurrency: number; readonly calls: number }[] = [
  { method: 'GET', concurrency: 1, calls: 100 },
  { method: 'GET', concurrency: 32, calls: 500 },
  { method: 'POST', concurrency: 1, calls: 100 },
  { method: 'POST', concurrency: 32, calls: 500 },
]

/** What the client costs where nothing goes wrong, against what it wraps. */
export const clientSuite = {
  about: 'what createClient() and hopwise() cost where nothing goes wrong, against bare fetch and undici.request',
  run: async ({ rounds, seed, say }: SuiteOrder): Promise<Row[]> => {
    const server = startLabChild<FromServer, never>(process.execPath, new URL('server.js', import.meta.url), {})
    const callers = new Map<ContestantName, Caller>()
    try {
      const { port } = await server.next('listening')
      for (const name of names) {
        const caller = startCaller(name, `http://127.0.0.1:${port}`)
        callers.set(name, caller)
        await caller.ready
      }
      const random = seededRandom(seed)
      const rows: Row[] = []
      for (const { method, concurrency, calls } of cells) {
        say(`${method}, ${concurrency} at a time`)
        const order: RoundOrder = { kind: 'round', method, concurrency, calls }
        rows.push(...rowsOf(order, await measure(callers, order, rounds, random)))
      }
      return rows
    } finally {
      server.kill('SIGKILL')
      for (const caller of callers.values()) caller.kill()
    }
  },
}

/** One contestant after another, in another order each round. */
async function measure(callers: ReadonlyMap<ContestantName, Caller>, order: RoundOrder, rounds: number, random: () => number): Promise<ReadonlyMap<ContestantName, Measured>> {
  const measured = new Map(names.map((name) => [name, { wall: [], cpu: [] } as Measured]))
  for (let round = -Math.min(warmUpRounds, rounds); round < rounds; round++) {
    for (const name of shuffled(names, random)) {
      const { wallUs = Number.NaN, cpuUs = Number.NaN } = (await callers.get(name)?.measure(order)) ?? {}
      if (round < 0) continue
      measured.get(name)?.wall.push(wallUs / order.calls)
      measured.get(name)?.cpu.push(cpuUs / order.calls)
    }
  }
  return measured
}

function rowsOf({ method, concurrency, calls }: RoundOrder, measured: ReadonlyMap<ContestantName, Measured>): Row[] {
  const of = (name: ContestantName): Measured => measured.get(name) ?? { wall: [], cpu: [] }
  return pairs.map(({ bare, wrapped }) => {
    const [one, other] = [of(bare), of(wrapped)]
    const ratios = ratiosOf(other.wall, one.wall)
    const [bareUs, bareCpuUs] = [quantile(one.wall, 0.5), quantile(one.cpu, 0.5)]
    return {
      what: `${wrapped} / ${bare}`,
      method,
      concurrency,
      ratio: rounded(quantile(ratios, 0.5), 3),
      ratio_p10: rounded(quantile(ratios, 0.1), 3),
      ratio_p90: rounded(quantile(ratios, 0.9), 3),
      cpu_ratio: rounded(quantile(ratiosOf(other.cpu, one.cpu), 0.5), 3),
      bare_us: rounded(bareUs, 1),
      wrapped_us: rounded(quantile(other.wall, 0.5), 1),
      bare_cpu_us: rounded(bareCpuUs, 1),
      wrapped_cpu_us: rounded(quantile(other.cpu, 0.5), 1),
      calls: calls * ratios.length,
    }
  })
}

/** Round by round: the two stood next to each other in time. */
function ratiosOf(wrapped: readonly number[], bare: readonly number[]): number[] {
  return wrapped.map((value, round) => value / (bare[round] ?? Number.NaN))
}

function shuffled<T>(values: readonly T[], random: () => number): T[] {
  return values.map((value) => ({ value, at: random() })).toSorted((one, other) => one.at - other.at).map(({ value }) => value)
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
