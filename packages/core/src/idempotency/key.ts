/** No field beyond it can hold a valid key: quotes, 255 escaped characters, and more white space than anybody sends. */
const longestField = 1_024

/**
 * Inside of quotes: visible ASCII and space, with `"` and `\` escaped. Bare: no space, and none of the characters by
 * which lists, parameters and strings are written. White space around either is no part of it.
 */
const written = /^[ \t]*(?:"((?:[ !#-[\]-~]|\\["\\]){1,255})"|([!#-+\--:<-[\]-~]{1,255}))[ \t]*$/

/**
 * Reads the values of the Idempotency-Key field. The draft asks for a structured-field string (RFC 9651 3.3.3,
 * draft-ietf-httpapi-idempotency-key-header-07 2.1), most clients send it bare: `"abc"` and `abc` are one key.
 * Lists, parameters, repeated fields, control and non-ASCII characters, and more than 255 characters are refused.
 * @returns the key; `undefined` where it is not one
 */
export function readKey([value = '', ...more]: readonly string[]): string | undefined {
  const [, quoted, bare] = (more.length === 0 && value.length <= longestField && written.exec(value)) || []
  return quoted?.replace(/\\(.)/g, '$1') ?? bare
}
