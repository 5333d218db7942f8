/**
 * A text as it stands in SQL. Keys, owners and fingerprints stay as they are; anything else goes as hexadecimal digits, so
 * that nothing depends on quotes, backslashes or `standard_conforming_strings`.
 */
export function textLiteral(text: string): string {
  return /^[0-9A-Za-z-]*$/.test(text) ? `'${text}'` : `convert_from(${bytesLiteral(new TextEncoder().encode(text))}, 'UTF8')`
}

/** Bytes as they stand in SQL. */
export function bytesLiteral(bytes: Uint8Array): string {
  let hex = ''
  for (const byte of bytes) hex += digits[byte]
  return `decode('${hex}', 'hex')`
}

/** A number as it stands in SQL. */
export function numberLiteral(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`${value} is not a number that SQL knows`)
  return `(${value})`
}

const digits = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
