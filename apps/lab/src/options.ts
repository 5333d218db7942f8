import { parseArgs } from 'node:util'

/** What a scenario can be asked, as data. */
type Option =
  | { readonly kind: 'words'; readonly allowed: readonly string[]; readonly about: string }
  | { readonly kind: 'whole'; readonly min?: number; readonly max?: number; readonly about: string }
  | { readonly kind: 'flag'; readonly about: string }

/** Options by their names. */
export type Options = Readonly<Record<string, Option>>

/** What was said: words in their order (none where none was said), a number or undefined, or whether a flag was set. */
export type Values<Declared extends Options> = {
  readonly [Name in keyof Declared]: Declared[Name]['kind'] extends 'words' ? readonly string[] : Declared[Name]['kind'] extends 'whole' ? number | undefined : boolean
}

/**
 * Reads arguments by the options that are declared.
 * @param who what has these options, for the complaint
 * @throws Error one sentence that names the argument and what is allowed
 */
export function readOptions<Declared extends Options>(who: string, args: readonly string[], declared: Declared): Values<Declared> {
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    options: Object.fromEntries(Object.entries(declared).map(([name, { kind }]) => [name, { type: kind === 'flag' ? 'boolean' : 'string' } as const])),
  })
  const values: Record<string, readonly string[] | number | boolean | undefined> = Object.fromEntries(Object.entries(declared).map(([name, { kind }]) => [name, unsaid[kind]]))
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue
    if (token.kind === 'positional') throw new Error(`${who} takes no ${JSON.stringify(token.value)}; its options: ${namesOf(declared)}`)
    const option = Object.hasOwn(declared, token.name) ? declared[token.name] : undefined
    if (option === undefined) throw new Error(`${who} has no option ${token.rawName}; it has: ${namesOf(declared)}`)
    const value = read(token.rawName, option, token.value)
    values[token.name] = typeof value === 'string' ? [...(values[token.name] as readonly string[]), value] : value
  }
  return values as Values<Declared>
}

const unsaid = { words: [], whole: undefined, flag: false } as const

function read(name: string, option: Option, value: string | undefined): string | number | boolean {
  const wrong = (allowed: string): Error => new Error(`${name} is ${value === undefined ? 'without a value' : JSON.stringify(value)}; allowed: ${allowed}`)
  switch (option.kind) {
    case 'flag':
      if (value !== undefined) throw wrong('no value')
      return true
    case 'words':
      if (value === undefined || !option.allowed.includes(value)) throw wrong(option.allowed.join(', '))
      return value
    case 'whole': {
      const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = option
      const number = value === undefined || value.trim() === '' ? Number.NaN : Number(value)
      if (!Number.isSafeInteger(number) || number < min || number > max) throw wrong(option.max === undefined ? 'a whole number' : `a whole number from ${min} to ${max}`)
      return number
    }
  }
}

function namesOf(declared: Options): string {
  return Object.keys(declared).map((name) => `--${name}`).join(', ')
}

/** The lines of a usage text, one an option. */
export function describeOptions(declared: Options): string[] {
  return Object.entries(declared).map(([name, option]) => `--${name.padEnd(9)} ${option.about}${option.kind === 'words' ? `: ${option.allowed.join(', ')}` : ''}`)
}
