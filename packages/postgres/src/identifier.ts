import { valueField, type Field } from '@hopwise/core'

/** PostgreSQL cuts longer names off (NAMEDATALEN - 1), and two would become one. */
const maxBytes = 63

/** An option that is the name of something in the database: 1 to 63 bytes of UTF-8, any characters but NUL. */
export function identifierField(preset: string): Field<string> & { default: string } {
  return { ...valueField<string>('a name of 1 to 63 bytes, without NUL', isIdentifier), default: preset }
}

function isIdentifier(value: unknown): boolean {
  if (typeof value !== 'string' || value === '' || value.includes('\0')) return false
  // A lone surrogate is no character, and would become another one on its way.
  return byteLength(value) <= maxBytes && new TextDecoder().decode(new TextEncoder().encode(value)) === value
}

/** The name as it stands in SQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A table's two names, as they are. */
export interface TableNames {
  readonly schema: string
  readonly table: string
}

/** A table by both of its names, as they stand in SQL. */
export function qualified({ schema, table }: TableNames): string {
  return `${quoted(schema)}.${quoted(table)}`
}

/** `table` with `_suffix`; where that is too long, cut and made unique again by a hash, so that no two tables share an index's name. */
export function derivedName(table: string, suffix: string): string {
  const name = `${table}_${suffix}`
  if (byteLength(name) <= maxBytes) return name
  const tail = `_${fnv1a(table)}_${suffix}`
  let head = ''
  for (const character of table) {
    if (byteLength(head + character + tail) > maxBytes) break
    head += character
  }
  return head + tail
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length
}

/** FNV-1a, 32 bits, as 8 hexadecimal digits. */
function fnv1a(text: string): string {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash.toString(16).padStart(8, '0')
}
