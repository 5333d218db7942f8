/** What an Idempotency-Key field holds. */
export type KeyReading =
  | { readonly kind: 'absent' }
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'invalid'; readonly detail: string }

const longest = 255
/** No field beyond it can hold a valid key: quotes, 255 escaped characters, and more white space than anybody sends. */
const longestField = 1_024

/**
 * Inside of quotes: visible ASCII and space, with `"` and `\` escaped. Bare: no space, and none of the characters by
 * which lists, parameters and strings are written. White space around either is no part of it.
 */
const written = /^[ \t]*(?:"((?:[ !#-[\]-~]|\\["\\])*)"|([!#-+\--:<-[\]-~]*))[ \t]*$/

/**
 * Reads the values of the Idempotency-Key field. The draft asks for a structured-field string (RFC 9651 3.3.3,
 * draft-ietf-httpapi-idempotency-key-header-07 2.1), most clients send it bare: `"abc"` and `abc` are one key.
 * Lists, parameters, repeated fields, control and non-ASCII characters, and more than 255 characters are refused.
 */
export function readKey(values: readonly string[]): KeyReading {
  const [value, ...more] = values
  if (value === undefined) return { kind: 'absent' }
  if (more.length > 0) return invalid('the field is repeated; send one key')
  const [, quoted, bare] = value.length > longestField ? [undefined, undefined, value] : (written.exec(value) ?? [])
  const key = quoted?.replace(/\\(.)/g, '$1') ?? bare
  if (key === undefined) return invalid('expected a quoted string or a bare key of visible ASCII characters without , ; " and \\')
  if (key.length === 0) return invalid('the key is empty')
  if (key.length > longest) return invalid(`the key has more than ${longest} characters`)
  return { kind: 'key', key }
}

function invalid(detail: string): KeyReading {
  return { kind: 'invalid', detail: `Idempotency-Key: ${detail}` }
}
