import { freePort } from '@hopwise/testkit/components'
import { startCaller, type Caller } from './caller/handle.js'
import type { CallResult } from './caller/messages.js'
import type { Case, Method } from './cases.js'
import type { ClientName } from './clients/registry.js'
import type { Runtime, RuntimeName } from './runtimes.js'
import type { FaultServer } from './server/handle.js'
import type { Tally } from './server/messages.js'

/** What came of one logical request. */
export interface RetryRow {
  readonly client: ClientName
  readonly runtime: RuntimeName
  readonly case: string
  readonly method: Method
  /** How often the whole request reached the server. */
  readonly serverSaw: number
  /** `status 200`, or `ERR` with a code; `ERR TIMEOUT15` where the lab gave up after 15 s. */
  readonly outcome: string
  /** From the call to its outcome. */
  readonly ms: number
}

/** How often a case is set up anew where its request came on a new connection, and not on the one that was to be used again. */
const mostSetUps = 5
const label = 'one'

/** The rows of one client on one runtime: its cases one after another, each request with a server of its own. */
export async function runRows(server: FaultServer, client: ClientName, runtime: Runtime, cases: readonly Case[], methods: readonly Method[]): Promise<RetryRow[]> {
  const callers = new Map<string, Caller>()
  const rows: RetryRow[] = []
  try {
    for (const one of cases) {
      const http2 = one.protocol === 'h2'
      const key = `${one.protocol} ${one.silenceMs}`
      const caller = callers.get(key) ?? startCaller(runtime, { client, http2, ...(one.silenceMs !== undefined && { silenceMs: one.silenceMs }) })
      callers.set(key, caller)
      for (const method of methods) rows.push({ client, runtime: runtime.name, case: one.name, method, ...(await runCase(server, caller, one, method)) })
    }
    return rows
  } finally {
    for (const caller of callers.values()) await caller.end()
  }
}

async function runCase(server: FaultServer, caller: Caller, one: Case, method: Method): Promise<CallResult & { readonly serverSaw: number }> {
  for (let setUps = 1; ; setUps += 1) {
    const { result, tally } = await callOnce(server, caller, one, method)
    if (tally.unset > 0 && setUps < mostSetUps) continue
    const [[saw = '0'] = []] = Object.entries(tally.saw)
    return { serverSaw: Number(saw), outcome: tally.unset > 0 ? 'ERR SETUP' : result.outcome, ms: result.ms }
  }
}

async function callOnce(server: FaultServer, caller: Caller, { fault, protocol, warm, endedIdle, patienceMs }: Case, method: Method): Promise<{ result: CallResult; tally: Tally }> {
  const site = fault === undefined ? undefined : await server.open({ protocol, faults: { [label]: fault } })
  const origin = site?.origin ?? `http://127.0.0.1:${await freePort()}`
  if (warm) await caller.run({ kind: 'warm', url: `${origin}/warm/1` })
  if (endedIdle === true) await site?.endIdle()
  const result = await caller.run({ kind: 'one', url: `${origin}/${label}/1`, method, patienceMs })
  const tallies = await site?.close()
  return { result, tally: tallies?.[label] ?? { saw: {}, unset: 0 } }
}
