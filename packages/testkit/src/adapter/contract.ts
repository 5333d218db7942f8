import type { IdempotencyOptions, IdempotencyStore, RequestIdOptions } from '@hopwise/core'
import { memoryStore } from '@hopwise/core'
import type { ContractCase, SkippedCase } from '../store/contract.js'
import type { AdapterCase } from './case.js'
import { captureCases } from './cases/capture.js'
import { clientGoneCases } from './cases/client-gone.js'
import { conflictCases } from './cases/conflict.js'
import { connectionCases } from './cases/connection.js'
import { keyCases } from './cases/key.js'
import { replayCases } from './cases/replay.js'
import { requestBodyCases } from './cases/request-body.js'
import { requestIdCases } from './cases/request-id.js'
import { storeOutageCases } from './cases/store-outage.js'
import { contractRoutes, type ContractRoute } from './routes.js'
import { runningRuntime, type ContractRow } from './row.js'
import { adapterTools } from './tools.js'

/** The part of an idempotent run that a contract handler uses. */
export interface IdempotentRunLike {
  readonly attempt: number
  readonly fence: number
  phase<T>(name: string, work: () => T | Promise<T>): Promise<T>
  deriveKey(name: string): Promise<string>
  release(): void
}

/** What an adapter is to serve for one case. */
export interface AdapterSetup {
  /** Every one of them; those with `idempotent` behind the adapter's idempotency middleware. */
  readonly routes: readonly ContractRoute[]
  /**
   * The options of the idempotency middleware, but for `principal`: the adapter is to take it from the `x-user` field of
   * its native request.
   */
  readonly idempotency: Pick<IdempotencyOptions<never>, 'store'> & Omit<Partial<IdempotencyOptions<never>>, 'store' | 'principal' | 'scope' | 'fingerprint'>
  readonly requestId: RequestIdOptions
  /** Parse bodies before the idempotency middleware, keeping the raw bytes as the adapter's guide says, instead of after. */
  readonly parserFirst: boolean
}

/** A server that runs. */
export interface BootedAdapter {
  readonly port: number
  /** Stops the server as a deploy does: refuses connections at once, serves what comes on open ones. Resolves when all are closed. */
  drain?(): Promise<unknown>
  close(): Promise<void>
}

/** What an adapter can do; a case that needs what it cannot is skipped with the reason that is given here. */
export interface AdapterCapabilities {
  /** Pass a stream through as its chunks come. `true`, or why not. */
  readonly streams: true | string
  /** Serve a request that sits behind another one on the same connection. `true`, or why not. */
  readonly pipelining: true | string
  /** Read the body before the middleware and still fingerprint its bytes. `true`, or why not. */
  readonly parserFirst: true | string
  /** Ask for a body that its client holds back until it is asked for (`Expect: 100-continue`). `true`, or why not. */
  readonly expectContinue: true | string
  /** Stop without losing a request, by {@link BootedAdapter.drain}. `true`, or why not. */
  readonly drain: true | string
}

/** What {@link adapterContract} is told of an adapter. */
export interface AdapterContractOptions {
  /** The adapter, such as the name of its package. */
  readonly name: string
  /** The framework with its version, in front of the name of each case; see {@link installed}. [`name`] */
  readonly framework?: string
  /** The runtime of the server, with its version. [the one that runs the cases] */
  readonly runtime?: string
  readonly capabilities: AdapterCapabilities
  /** Starts a real server on 127.0.0.1, port 0. */
  readonly boot: (setup: AdapterSetup) => Promise<BootedAdapter>
}

/** The contract for one adapter. */
export interface AdapterContract {
  readonly cases: readonly ContractCase[]
  readonly skipped: readonly SkippedCase[]
  /** What came of the cases until now. */
  readonly row: () => ContractRow
}

/**
 * The demands on an adapter, as cases for any test runner. Each boots a server of its own and speaks TCP to it.
 * @example testAdapterContract(adapterContract({ name: 'mine', capabilities, boot }), test)
 */
export function adapterContract({ name, framework = name, runtime = runningRuntime(), capabilities, boot }: AdapterContractOptions): AdapterContract {
  const cases: ContractCase[] = []
  const skipped: SkippedCase[] = []
  const outcomes = new Map<string, 'passed' | 'failed'>()
  for (const { title, needs, setup, run } of allCases) {
    const ability = needs === undefined ? true : capabilities[needs]
    if (ability !== true) {
      skipped.push({ name: title, reason: ability })
      continue
    }
    const runCase = async (): Promise<void> => {
      const store: IdempotencyStore = setup?.store?.() ?? memoryStore()
      const server = await boot({
        routes: contractRoutes(),
        // A slow machine is no outage: what is slow on purpose says so in its case.
        idempotency: { storeDeadline: '30s', ...setup?.idempotency, store },
        requestId: setup?.requestId ?? {},
        parserFirst: needs === 'parserFirst',
      })
      const tools = adapterTools(server, store)
      try {
        await run(tools)
      } finally {
        tools.end()
        await server.close()
      }
    }
    cases.push({
      name: `${framework}: ${title}`,
      run: async () => {
        outcomes.set(title, 'failed')
        await runCase()
        outcomes.set(title, 'passed')
      },
    })
  }
  const row = (): ContractRow => {
    const results = [...outcomes.values()]
    return {
      adapter: name,
      framework,
      runtime,
      declared: allCases.length,
      passed: results.filter((result) => result === 'passed').length,
      failed: results.filter((result) => result === 'failed').length,
      skipped: skipped.map((one) => ({ case: one.name, reason: one.reason })),
    }
  }
  return { cases, skipped: skipped.map((one) => ({ ...one, name: `${framework}: ${one.name}` })), row }
}

/** Titles are unique: a row counts by them. */
const allCases: readonly AdapterCase[] = [
  ...requestIdCases,
  ...keyCases,
  ...replayCases,
  ...requestBodyCases,
  ...conflictCases,
  ...captureCases,
  ...clientGoneCases,
  ...connectionCases,
  ...storeOutageCases,
]
