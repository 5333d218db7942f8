import { cpus, totalmem } from 'node:os'
import type { Options, Values } from './options.js'

/** What every scenario is asked. */
export interface Asked {
  /** The seed of whatever is left to chance. */
  readonly seed: number
  /** A short form, for tests: less of everything, the same demands. */
  readonly short: boolean
  /** Tells people what is going on. */
  readonly say: (text: string) => void
}

/** One figure a name. */
export type Row = Readonly<Record<string, string | number | boolean>>

/** What a scenario found. `ok` is whether every demand on it was met. */
interface Findings {
  readonly rows: readonly Row[]
  /** Figures of another shape than the rows, where there are any. */
  readonly figures?: readonly Row[]
  /** Which demands were not met, a sentence each, where the scenario names them. */
  readonly unmet?: readonly string[]
  readonly ok: boolean
}

/** A scenario of the lab: one file or folder, one question. */
export interface Scenario<Declared extends Options = Options> {
  /** What it does, in a line. */
  readonly about: string
  /** The options that only it has; `main.ts` reads them. */
  readonly options: Declared
  run(values: Values<Declared>, asked: Asked): Promise<Findings>
}

/** Gives the scenario back, with the kinds of its options known to `run`. */
export function defineScenario<const Declared extends Options>(scenario: Scenario<Declared>): Scenario<Declared> {
  return scenario
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
