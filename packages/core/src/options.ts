import { durationForms, tryDuration, type Duration, type DurationText } from './duration.js'
import { HopwiseError } from './errors.js'
import { isObject, show } from './show.js'

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
export function parseOptions<S extends Record<string, Field<unknown>>>(owner: string, input: unknown = {}, fields: S): Parsed<S> {
  if (!isObject(input) || Array.isArray(input)) throw new HopwiseError('option-invalid', `${owner}: expected an options object, got ${show(input)}`)
  for (const name of Object.keys(input)) {
    if (!Object.hasOwn(fields, name)) {
      throw new HopwiseError('option-unknown', `${owner}: unknown option ${JSON.stringify(name)}; allowed: ${Object.keys(fields).join(', ')}`)
    }
  }
  return Object.fromEntries(
    Object.entries(fields).map(([name, { allowed, parse, required, default: preset }]) => {
      const value = input[name]
      const parsed = value === undefined ? preset : parse(value)
      if (parsed === undefined && (required || value !== undefined)) {
        throw wrongOption(owner, name, value === undefined ? `is required: ${allowed}` : `is ${show(value)}; allowed: ${allowed}`)
      }
      return [name, parsed]
    }),
  ) as Parsed<S>
}

/** The error for an option that is wrong for the reason `what`. */
export function wrongOption(owner: string, name: string, what: string): HopwiseError {
  return new HopwiseError('option-invalid', `${owner}: option ${JSON.stringify(name)} ${what}`)
}

/** A duration between `min` and `max`, both included, which a message shows as they are written. */
export function durationField(range: { min?: DurationText; max: DurationText }): Field<Duration>
export function durationField(range: { min?: DurationText; max: DurationText; default: DurationText }): Field<Duration> & { default: Duration }
export function durationField(range: { min?: DurationText; max: DurationText; default?: DurationText }): Field<Duration> {
  return rangeField(`${durationForms},`, range, tryDuration)
}

/** A whole number between `min` and `max`, both included. */
export function integerField<D extends number | undefined = undefined>(range: {
  min: number
  max: number
  default?: D
}): Field<number> & (D extends number ? { default: number } : unknown) {
  const field = rangeField('a whole number', range, (value) => (Number.isSafeInteger(value) ? (value as number) : undefined))
  return field as Field<number> & (D extends number ? { default: number } : unknown)
}

type Range = { min?: number | DurationText; max: number | DurationText; default?: number | DurationText | undefined }

/** What `read` makes of a value, between what it makes of `min` and of `max`. */
function rangeField<N extends number>(what: string, { min = '0ms', max, default: preset }: Range, read: (value: unknown) => N | undefined): Field<N> {
  return {
    allowed: `${what} from ${min} to ${max}`,
    parse: (value) => {
      const number = read(value) as N
      // Of what is no number, both are false.
      return number >= (read(min) as N) && number <= (read(max) as N) ? number : undefined
    },
    default: read(preset),
  }
}

/** `true` or `false`. */
export function booleanField(preset: boolean): Field<boolean> & { default: boolean } {
  return wordField([true, false], preset)
}

/** One of the given words. */
export function wordField<const W extends string | boolean>(words: readonly W[]): Field<W>
export function wordField<const W extends string | boolean>(words: readonly W[], preset: W): Field<W> & { default: W }
export function wordField<const W extends string | boolean>(words: readonly W[], preset?: W): Field<W> {
  return valueField<W, W | undefined>(words.map(show).join(' or '), (value) => words.includes(value as W), preset)
}

/** Whatever `test` accepts, passed through as it is. */
export function valueField<T>(allowed: string, test: (value: unknown) => boolean): Field<T>
export function valueField<T, D extends T | undefined>(allowed: string, test: (value: unknown) => boolean, preset: D): Field<T> & { default: D }
export function valueField<T>(allowed: string, test: (value: unknown) => boolean, preset?: T): Field<T> {
  return { allowed, parse: (value) => (test(value) ? (value as T) : undefined), default: preset }
}

/** An object that has these methods. */
export function methodsField<T>(allowed: string, names: readonly string[]): Field<T> {
  return valueField<T>(allowed, (value) => isObject(value) && names.every((name) => typeof value[name] === 'function'))
}

/** A function, passed through as it is. */
export function functionField<F>(allowed: string): Field<F> {
  return valueField<F>(allowed, (value) => typeof value === 'function')
}

/** An HTTP field name (RFC 9110 5.1, token), in lower case. */
export function fieldNameField(preset: string): Field<string> & { default: string } {
  return { allowed: 'a field name', parse: (value) => (isToken(value) ? value.toLowerCase() : undefined), default: preset }
}

/** Whether `value` is a token (RFC 9110 5.6.2), as method and field names are. */
export function isToken(value: unknown): value is string {
  return typeof value === 'string' && /^[!#$%&'*+.^_`|~\w-]+$/.test(value)
}
