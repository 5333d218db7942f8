import { HopwiseError } from '../errors.js'
import type { Hop, IdleLimit } from './hop.js'
import { presets, type PresetName } from './presets.js'

/** What may stand in a chain: a preset's name, or a hop made by a preset or by `customHop`. */
export type ChainInput = readonly (PresetName | Hop)[]

/** The hops in front of a server in order from the client to it; the server itself may be the last one. */
export type Chain = readonly Hop[]

/**
 * Two neighbouring HTTP hops and the TCP hops between them. Since every HTTP hop ends TCP, the rule holds per edge:
 * what `from` reuses, `to` must keep, and no TCP hop between may forget the flow earlier.
 */
export interface Edge {
  readonly from: Hop
  readonly to: Hop
  readonly between: readonly Hop[]
}

/**
 * Reads a chain.
 * @throws HopwiseError `chain-invalid` for an unknown preset, a name that is there twice, or a server that is not last
 */
export function defineChain(input: ChainInput): Chain {
  if (!Array.isArray(input)) throw new HopwiseError('chain-invalid', 'chain: expected a list of hops, from the client to the server')
  const chain = input.map((entry: unknown, index) => readHop(entry, index))
  const seen = new Set<string>()
  for (const [index, hop] of chain.entries()) {
    if (seen.has(hop.name)) {
      throw new HopwiseError('chain-invalid', `chain[${index}]: there are two hops called "${hop.name}"; give one another name`)
    }
    seen.add(hop.name)
    if (hop.product === 'node' && index !== chain.length - 1) {
      throw new HopwiseError('chain-invalid', `chain[${index}]: "${hop.name}" is a server, and a server is the last hop`)
    }
  }
  return chain
}

function readHop(entry: unknown, index: number): Hop {
  if (typeof entry === 'string') {
    if (Object.hasOwn(presets, entry)) return presets[entry as PresetName]()
    const allowed = Object.keys(presets).map((name) => `"${name}"`).join(', ')
    throw new HopwiseError('chain-invalid', `chain[${index}]: unknown preset ${JSON.stringify(entry)}; allowed: ${allowed}, or a hop made by customHop()`)
  }
  if (typeof entry === 'object' && entry !== null && 'layer' in entry && 'upstream' in entry) return entry as Hop
  throw new HopwiseError('chain-invalid', `chain[${index}]: expected a preset's name or a hop made by a preset or by customHop()`)
}

/** The edges of a chain. A TCP hop at either end has no pair of HTTP hops around it and makes no edge. */
export function edgesOf(chain: Chain): Edge[] {
  const edges: Edge[] = []
  let from: Hop | undefined
  let between: Hop[] = []
  for (const hop of chain) {
    if (hop.layer === 'tcp') {
      between.push(hop)
      continue
    }
    if (from !== undefined) edges.push({ from, to: hop, between })
    from = hop
    between = []
  }
  return edges
}

/** The hop whose connections reach the server: the last HTTP hop in front of it, if there is one. */
export function frontHop(chain: Chain): Hop | undefined {
  return withoutServer(chain).findLast((hop) => hop.layer === 'http')
}

/** The chain less the server, where the server is in it. */
export function withoutServer(chain: Chain): Chain {
  return chain.at(-1)?.product === 'node' ? chain.slice(0, -1) : chain
}

/** Whether `a` is certainly longer than `b`; false where either is unknown. */
export function outlasts(a: IdleLimit, b: IdleLimit, margin: number): boolean {
  if (a === 'unknown' || b === 'unknown') return false
  if (b === 'none') return true
  if (a === 'unlimited') return true
  if (b === 'unlimited' || a === 'none') return false
  return b + margin < a
}
