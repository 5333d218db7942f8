import { cpus, totalmem } from 'node:os'

/** What a scenario is asked. */
export interface LabOptions {
  /** The seed of whatever is left to chance. */
  readonly seed: number
  /** The stores to run, by name; all of them where none is named. */
  readonly stores: readonly string[]
  /** A short form, for tests: less of everything, the same demands. */
  readonly short: boolean
  /** Tells people what is going on. */
  readonly say: (text: string) => void
}

/** One figure a name. */
export type Row = Readonly<Record<string, string | number>>

/** What a scenario found. `ok` is whether every demand on it was met. */
interface Findings {
  readonly rows: readonly Row[]
  readonly ok: boolean
}

/** A scenario of the lab: one file, one question. */
export interface Scenario {
  /** What it does, in a line. */
  readonly about: string
  readonly run: (options: LabOptions) => Promise<Findings>
}

/** What the figures were measured on. */
export function machine(): Row {
  return { node: process.version, cpus: cpus().length, cpu: cpus()[0]?.model ?? 'unknown', memory_gib: Math.round(totalmem() / 2 ** 30), platform: `${process.platform} ${process.arch}` }
}

/** A generator of numbers from 0 up to 1 that gives the same ones for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
