import { duration, durationForms, formatDuration, tryDuration, type Duration, type DurationInput } from './duration.js'
import { HopwiseError } from './errors.js'
import { show } from './show.js'

/** How one option is read: `parse` gives the value or `undefined` where it is wrong; `allowed` says what is right. */
export interface Field<T> {
  readonly allowed: string
  readonly parse: (value: unknown) => T | undefined
  /** Taken where the option is absent. A field without one is `undefined` then, unless `required`. */
  readonly default?: T | undefined
  readonly required?: boolean
}

type ValueOf<F> = F extends Field<infer T> ? (F extends { default: T } | { required: true } ? T : T | undefined) : never

/** What {@link parseOptions} gives for a set of fields. */
export type Parsed<S extends Record<string, Field<unknown>>> = { readonly [K in keyof S]: ValueOf<S[K]> }

/**
 * Reads an options object once, at start.
 * @param owner the function or type whose options they are, for the message
 * @throws HopwiseError `option-unknown` for a name that is not a field, with the names that are;
 * `option-invalid` for a wrong or missing value, with the name, the value and what is allowed
 */
export function parseOptions<S extends Record<string, Field<unknown>>>(owner: string, input: unknown, fields: S): Parsed<S> {
  const given = input === undefined ? {} : input
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new HopwiseError('option-invalid', `${owner}: expected an options object, got ${show(given)}`)
  }
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(fields, name)) {
      throw new HopwiseError('option-unknown', `${owner}: unknown option ${JSON.stringify(name)}; allowed: ${Object.keys(fields).join(', ')}`)
    }
  }
  const values = given as Record<string, unknown>
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, readField(owner, name, field, values[name])]),
  ) as Parsed<S>
}

function readField(owner: string, name: string, field: Field<unknown>, value: unknown): unknown {
  if (value === undefined) {
    if (field.required) throw wrongOption(owner, name, `is required: ${field.allowed}`)
    return field.default
  }
  const parsed = field.parse(value)
  if (parsed === undefined) throw wrongOption(owner, name, `is ${show(value)}; allowed: ${field.allowed}`)
  return parsed
}

/** The error for an option that is wrong for the reason `what`. */
export function wrongOption(owner: string, name: string, what: string): HopwiseError {
  return new HopwiseError('option-invalid', `${owner}: option ${JSON.stringify(name)} ${what}`)
}

/** A duration between `min` and `max`, both included. */
export function durationField(range: { min?: DurationInput; max: DurationInput }): Field<Duration>
export function durationField(range: { min?: DurationInput; max: DurationInput; default: DurationInput }): Field<Duration> & { default: Duration }
export function durationField(range: { min?: DurationInput; max: DurationInput; default?: DurationInput }): Field<Duration> {
  const min = duration(range.min ?? 0)
  const max = duration(range.max)
  return {
    allowed: `${durationForms}, from ${formatDuration(min)} to ${formatDuration(max)}`,
    parse: (value) => within(min, max, tryDuration(value)),
    default: range.default === undefined ? undefined : duration(range.default),
  }
}

/** A whole number between `min` and `max`, both included. */
export function integerField<D extends number | undefined = undefined>(range: {
  min: number
  max: number
  default?: D
}): Field<number> & (D extends number ? { default: number } : unknown) {
  const field: Field<number> = {
    allowed: `a whole number from ${range.min} to ${range.max}`,
    parse: (value) => within(range.min, range.max, Number.isSafeInteger(value) ? (value as number) : undefined),
    default: range.default,
  }
  return field as Field<number> & (D extends number ? { default: number } : unknown)
}

function within<N extends number>(min: number, max: number, value: N | undefined): N | undefined {
  return value !== undefined && value >= min && value <= max ? value : undefined
}

/** `true` or `false`. */
export function booleanField(preset: boolean): Field<boolean> & { default: boolean } {
  return valueField<boolean, boolean>('true or false', (value) => typeof value === 'boolean', preset)
}

/** One of the given words. */
export function wordField<const W extends string>(words: readonly W[]): Field<W>
export function wordField<const W extends string>(words: readonly W[], preset: W): Field<W> & { default: W }
export function wordField<const W extends string>(words: readonly W[], preset?: W): Field<W> {
  return valueField<W, W | undefined>(words.map((word) => JSON.stringify(word)).join(' or '), (value) => words.includes(value as W), preset)
}

/** Whatever `test` accepts, passed through as it is. */
export function valueField<T>(allowed: string, test: (value: unknown) => boolean): Field<T>
export function valueField<T, D extends T | undefined>(allowed: string, test: (value: unknown) => boolean, preset: D): Field<T> & { default: D }
export function valueField<T>(allowed: string, test: (value: unknown) => boolean, preset?: T): Field<T> {
  return { allowed, parse: (value) => (test(value) ? (value as T) : undefined), default: preset }
}

/** A function, passed through as it is. */
export function functionField<F>(allowed: string): Field<F> {
  return valueField<F>(allowed, (value) => typeof value === 'function')
}

/** An HTTP field name (RFC 9110 5.1, token), in lower case. */
export function fieldNameField(preset: string): Field<string> & { default: string } {
  return { allowed: 'an HTTP field name', parse: (value) => (isToken(value) ? value.toLowerCase() : undefined), default: preset }
}

/** Whether `value` is a token (RFC 9110 5.6.2), as method and field names are. */
export function isToken(value: unknown): value is string {
  return typeof value === 'string' && /^[!#$%&'*+.^_`|~\w-]+$/.test(value)
}
