import type { RuntimeName } from '../runtimes.js'
import type { LabClient, LabClientOptions } from './client.js'
import type { Undici } from './undici.js'

/** A client under test. */
interface ClientEntry {
  /** Where it runs: what its package says of itself. */
  readonly runtimes: readonly RuntimeName[]
  /** Where it speaks HTTP/2. */
  readonly http2: readonly RuntimeName[]
  /** Loads it, in the process that it is to run in. */
  open(options: LabClientOptions): Promise<LabClient>
}

const node: readonly RuntimeName[] = ['node20', 'node22', 'node24']
const node22: readonly RuntimeName[] = ['node22', 'node24']
const others: readonly RuntimeName[] = ['bun', 'deno']
/** fetch of Node speaks no HTTP/2 unless its dispatcher is replaced, and Bun's does not by itself. */
const h2ByFetch: readonly RuntimeName[] = ['deno']

const undici6 = async (): Promise<Undici> => (await import('undici6')) as unknown as Undici
const undici7 = async (): Promise<Undici> => (await import('undici')) as unknown as Undici
const undici8 = async (): Promise<Undici> => (await import('undici8')) as unknown as Undici

const byHopwise = (load: () => Promise<Undici>, runtimes: readonly RuntimeName[]): ClientEntry => ({
  runtimes,
  http2: runtimes,
  open: async (options) => (await import('./hopwise-undici.js')).open(await load(), options),
})
const byRetryAgent = (load: () => Promise<Undici>, runtimes: readonly RuntimeName[]): ClientEntry => ({
  runtimes,
  http2: runtimes,
  open: async (options) => (await import('./undici.js')).retryAgent(await load(), options),
})

/** Every client, in the order of the rows. */
export const clients = {
  hopwise: { runtimes: [...node, ...others], http2: h2ByFetch, open: async (options) => (await import('./hopwise.js')).open(options) },
  'hopwise-undici6': byHopwise(undici6, node),
  'hopwise-undici7': byHopwise(undici7, node),
  'hopwise-undici8': byHopwise(undici8, node22),
  fetch: { runtimes: [...node, ...others], http2: h2ByFetch, open: async () => (await import('./fetch.js')).open() },
  got: { runtimes: node22, http2: [], open: async () => (await import('./got.js')).open() },
  ky: { runtimes: [...node22, ...others], http2: h2ByFetch, open: async () => (await import('./ky.js')).open() },
  'axios-retry': { runtimes: node, http2: [], open: async () => (await import('./axios-retry.js')).open() },
  'p-retry': { runtimes: node22, http2: [], open: async () => (await import('./p-retry.js')).open() },
  'fetch-retry': { runtimes: node, http2: [], open: async () => (await import('./fetch-retry.js')).open() },
  'undici6-retry-agent': byRetryAgent(undici6, node),
  'undici7-retry-agent': byRetryAgent(undici7, node),
  'undici8-retry-agent': byRetryAgent(undici8, node22),
  agentkeepalive: { runtimes: node, http2: [], open: async () => (await import('./agentkeepalive.js')).open() },
} as const satisfies Readonly<Record<string, ClientEntry>>

/** One of {@link clients}. */
export type ClientName = keyof typeof clients

/** Their names. */
export const clientNames = Object.keys(clients) as readonly ClientName[]

/** Whether it is the one that the demands are on. */
export function isHopwise(client: string): boolean {
  return client.startsWith('hopwise')
}
