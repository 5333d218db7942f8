import { freePort } from '@hopwise/testkit/components'
import { startCaller, type Caller } from '../caller/handle.js'
import type { CallResult } from '../caller/messages.js'
import type { ClientName } from '../clients/registry.js'
import type { Fault } from '../faults.js'
import { tellsOfConnections, type Runtime } from '../runtimes.js'
import type { FaultServer } from '../server/handle.js'
import type { Tally } from '../server/messages.js'
import type { DeadSocketsFigure, Figure, LossesFigure, OutageFigure } from './figures.js'
import { deadLabel, gatherLabel, lossFaults, lossLabel, lossMethods, outageLabel } from './labels.js'

/** Whom and how much. */
export interface CountedOptions {
  readonly client: ClientName
  readonly runtime: Runtime
  readonly losses: number
  readonly outageCalls: number
  readonly seed: number
}

const deadSockets = 10

/** What is counted of one of Hopwise's clients. A process for each figure: what a client has learnt is not to be there in the next one. */
export async function runCounted(server: FaultServer, options: CountedOptions): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const [budget, share] of sharesOf(options)) figures.push(await losses(server, { ...options, losses: share }, budget))
  for (const method of ['GET', 'POST+key'] as const) figures.push(await dead(server, options, method))
  for (const kind of ['refused', 'reset', 'unavailable'] as const) figures.push(await outage(server, options, kind))
  return figures
}

/** Without evidence, a loss that the runtime does not repair is one for the budget: half of them are counted without one. */
function sharesOf({ runtime, losses: all }: CountedOptions): [budget: LossesFigure['budget'], share: number][] {
  const without = tellsOfConnections(runtime.name) ? 0 : Math.floor(all / 2)
  return without === 0 ? [['default', all]] : [['default', all - without], ['none', without]]
}

/** Starts a client, and ends it whatever comes. */
async function withCaller<T>({ client, runtime }: Pick<CountedOptions, 'client' | 'runtime'>, work: (caller: Caller) => Promise<T>, withoutBudget = false): Promise<T> {
  const caller = startCaller(runtime, { client, http2: false, withoutBudget })
  try {
    return await work(caller)
  } finally {
    await caller.end()
  }
}

function losses(server: FaultServer, options: CountedOptions, budget: LossesFigure['budget']): Promise<LossesFigure> {
  const faults = Object.fromEntries(lossMethods.flatMap((method) => lossFaults.map((fault) => [lossLabel(method, fault), fault])))
  return withCaller(options, async (caller) => {
    const site = await server.open({ protocol: 'http/1.1', faults })
    const { methods, answered, sentAgain, plainFailed, plainP99, repairP99 } = await caller.run({ kind: 'losses', origin: site.origin, losses: options.losses, seed: options.seed })
    const tallies = await site.close()
    const sent = (method: (typeof lossMethods)[number], often: (saw: number) => boolean): number =>
      sum(lossFaults.flatMap((fault) => timesOf(tallies[lossLabel(method, fault)])).filter(([saw]) => often(saw)).map(([, requests]) => requests))
    const lost = (method: string): number => methods[method]?.lost ?? 0
    const recovered = (method: string): number => methods[method]?.recovered ?? 0
    return {
      client: options.client, runtime: options.runtime.name, figure: 'losses', budget, losses: sum(lossMethods.map(lost)), losses_wanted: options.losses,
      post_lost: lost('POST'), post_doubled: sent('POST', (saw) => saw > 1),
      keyed_lost: lost('POST+key'), keyed_recovered: recovered('POST+key'), keyed_sent_twice: sent('POST+key', (saw) => saw === 2), keyed_sent_more: sent('POST+key', (saw) => saw > 2),
      get_lost: lost('GET'), get_recovered: recovered('GET'),
      get_repair_p99_ms: round(repairP99), plain_get_p99_ms: round(plainP99), repair_to_plain: round(repairP99 / plainP99), plain_failed: plainFailed,
      answered, sent_again: sentAgain,
    }
  }, budget === 'none')
}

async function dead(server: FaultServer, options: CountedOptions, method: 'GET' | 'POST+key'): Promise<DeadSocketsFigure> {
  const { client, runtime } = options
  const ours = await deadOnce(server, options, method)
  const bare = tellsOfConnections(runtime.name) ? undefined : await deadOnce(server, { client: 'fetch', runtime }, method)
  return { client, runtime: runtime.name, figure: 'dead-sockets', sockets: deadSockets, method, ...ours, ...(bare !== undefined && { bare_sends: bare.sends, bare_outcome: bare.outcome }) }
}

function deadOnce(server: FaultServer, whom: Pick<CountedOptions, 'client' | 'runtime'>, method: 'GET' | 'POST+key'): Promise<CallResult & { readonly sends: number }> {
  const faults = { [gatherLabel]: 'gather', [deadLabel]: 'reusefin' } as const
  return withCaller(whom, async (caller) => {
    const site = await server.open({ protocol: 'http/1.1', faults, gather: deadSockets })
    const result = await caller.run({ kind: 'dead-sockets', origin: site.origin, sockets: deadSockets, method })
    const { [deadLabel]: tally } = await site.close()
    return { ...result, sends: sum(timesOf(tally).map(([saw]) => saw)) }
  })
}

/** What each kind of outage does to a call; `undefined`: nobody listens. */
const outages = { refused: undefined, reset: 'freshrst', unavailable: 'down' } as const satisfies Readonly<Record<string, Fault | undefined>>

function outage(server: FaultServer, options: CountedOptions, kind: keyof typeof outages): Promise<OutageFigure> {
  const fault = outages[kind]
  return withCaller(options, async (caller) => {
    const site = fault === undefined ? undefined : await server.open({ protocol: 'http/1.1', faults: { [outageLabel]: fault } })
    const { outageCalls: calls } = options
    const { good, attempts } = await caller.run({ kind: 'outage', origin: site?.origin ?? `http://127.0.0.1:${await freePort()}`, calls })
    // Where nobody listens, nobody can count but the client itself.
    const sends = site === undefined ? attempts : sum(timesOf((await site.close())[outageLabel]).map(([saw, requests]) => saw * requests))
    return { client: options.client, runtime: options.runtime.name, figure: 'outage', outage: kind, calls, sends, sends_a_call: round(sends / calls, 4), good }
  })
}

function timesOf(tally: Tally | undefined): [saw: number, requests: number][] {
  return Object.entries(tally?.saw ?? {}).map(([saw, requests]) => [Number(saw), requests])
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits))
}
