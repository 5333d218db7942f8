import { durationForms, tryDuration, type Duration, type DurationInput } from '../duration.js'
import { parseOptions, valueField, wordField, type Field } from '../options.js'

/**
 * How long an idle connection is kept: a duration; `'unlimited'` where nothing ends it; `'none'` where connections
 * are not reused at all; `'unknown'` where no documented figure was found, so that the audit asks instead of guessing.
 */
export type IdleLimit = Duration | 'unlimited' | 'none' | 'unknown'

/** {@link IdleLimit} as people write it. */
export type IdleLimitInput = DurationInput | 'unlimited' | 'none' | 'unknown'

/**
 * What a hop does when a reused connection to the next hop turns out to be closed before any byte of an answer:
 * `'none'` fails the request; `'idempotent-methods'` resends GET, PUT and their like and fails POST;
 * `'fresh-for-unsafe'` never puts a POST on a reused connection; `'everything'` resends any request, POST too.
 */
export type Replay = 'none' | 'idempotent-methods' | 'fresh-for-unsafe' | 'everything' | 'unknown'

/**
 * How a hop learns that the next one is stopping: `'connect'` tries another one when a connection is refused;
 * `'health-check'` and `'deregistration'` need to be told before the listener goes; `'none'` does not learn it.
 */
export type Failover = 'connect' | 'health-check' | 'deregistration' | 'none'

/** Where a preset's figures come from. */
export interface HopSource {
  /** The vendor's page, or the file in the product's source. */
  readonly reference: string
  /** The day the figures were read or measured, as `YYYY-MM-DD`. */
  readonly date: string
}

/** One hop of the chain from client to server, with the real values of each of its two sides. */
export interface Hop {
  /** How messages name it; unique within a chain. */
  readonly name: string
  /** A preset's id, or `'custom'`. */
  readonly product: string
  /** `'http'` ends TCP and has two independent sides; `'tcp'` forwards one flow and bounds both its neighbours. */
  readonly layer: 'http' | 'tcp'
  /** The side towards the client: how long an idle client connection is kept. */
  readonly downstream: { readonly idle: IdleLimit }
  /** The side towards the server: how long an idle connection to the next hop is kept and reused. */
  readonly upstream: { readonly idle: IdleLimit }
  readonly replay: Replay
  readonly failover: Failover
  /** The product's own configuration for an idle limit, by side; absent where it cannot be set. */
  readonly configure: {
    readonly downstream?: (idle: Duration) => string
    readonly upstream?: (idle: Duration) => string
  }
  readonly source?: HopSource
}

/** What may be said of a hop; everything left out comes from the preset. */
export interface HopOptions {
  /** How messages name the hop. [preset's id] */
  readonly name?: string
  /** The side towards the client. */
  readonly downstream?: { readonly idle: IdleLimitInput }
  /** The side towards the server. */
  readonly upstream?: { readonly idle: IdleLimitInput }
  /** See {@link Replay}. */
  readonly replay?: Replay
  /** See {@link Failover}. */
  readonly failover?: Failover
}

const words = ['unlimited', 'none', 'unknown'] as const

const sideField = (owner: string, side: string): Field<{ idle: IdleLimit }> => ({
  allowed: 'an object { idle }',
  parse: (value) => parseOptions(`${owner}.${side}`, value, { idle: idleLimitField }),
})

const idleLimitField: Field<IdleLimit> & { required: true } = {
  allowed: `${durationForms}, or 'unlimited', 'none', 'unknown'`,
  parse: (value) => words.find((word) => word === value) ?? tryDuration(value),
  required: true,
}

const hopFields = (owner: string) => ({
  name: valueField<string>('a name of 1 to 64 characters', (value) => typeof value === 'string' && value.length >= 1 && value.length <= 64),
  downstream: sideField(owner, 'downstream'),
  upstream: sideField(owner, 'upstream'),
  replay: wordField(['none', 'idempotent-methods', 'fresh-for-unsafe', 'everything', 'unknown']),
  failover: wordField(['connect', 'health-check', 'deregistration', 'none']),
})

/**
 * Puts the user's real values over a preset's.
 * @throws HopwiseError `option-unknown`, `option-invalid`
 */
export function overrideHop(owner: string, preset: Hop, options: HopOptions | undefined): Hop {
  const given = parseOptions(owner, options, hopFields(owner))
  return {
    ...preset,
    name: given.name ?? preset.name,
    downstream: given.downstream ?? preset.downstream,
    upstream: given.upstream ?? preset.upstream,
    replay: given.replay ?? preset.replay,
    failover: given.failover ?? preset.failover,
  }
}

/**
 * A hop that has no preset. What is not said of it is `'unknown'`, and the audit asks for it.
 * @throws HopwiseError `option-unknown`, `option-invalid`
 * @example customHop({ name: 'waf', downstream: { idle: '120s' }, upstream: { idle: '30s' } })
 */
export function customHop(options: HopOptions & { readonly name: string; readonly layer?: 'http' | 'tcp' }): Hop {
  const fields = hopFields('customHop')
  const { layer, ...rest } = parseOptions('customHop', options, {
    ...fields,
    name: { ...fields.name, required: true as const },
    layer: wordField(['http', 'tcp'], 'http'),
  })
  const blank: Hop = {
    name: 'custom',
    product: 'custom',
    layer,
    downstream: { idle: 'unknown' },
    upstream: { idle: 'unknown' },
    replay: 'unknown',
    failover: 'none',
    configure: {},
  }
  return { ...blank, ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) }
}
