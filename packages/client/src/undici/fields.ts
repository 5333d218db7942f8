type Pairs = readonly (readonly [name: string, value: unknown])[]

/** The name and value pairs of whatever undici takes for `headers`: a flat list, an object, or anything that gives pairs. */
function pairsOf(headers: unknown): Pairs {
  if (typeof headers !== 'object' || headers === null) return []
  if (isFlat(headers)) return headers.flatMap((name, at): Pairs => (at % 2 === 0 ? [[String(name), headers[at + 1]]] : []))
  if (Symbol.iterator in headers) return [...(headers as Iterable<readonly [string, unknown]>)]
  return Object.entries(headers)
}

/** The first value of a request's field that is not empty, by its name in lower case. */
export function requestField(headers: unknown, name: string): string | undefined {
  const values = pairsOf(headers).filter(([field]) => field.toLowerCase() === name).flatMap(([, value]) => value)
  const value = values.find((one) => one !== undefined && one !== null && one !== '')
  return value === undefined ? undefined : String(value)
}

/** The headers so that they can be read more than once: a generator cannot be. */
export function lasting(headers: unknown): unknown {
  return typeof headers === 'object' && headers !== null && Symbol.iterator in headers && !isFlat(headers) ? pairsOf(headers).flat() : headers
}

function isFlat(headers: object): headers is unknown[] {
  return Array.isArray(headers) && !headers.every((entry) => Array.isArray(entry))
}

/** The headers with these fields, in the place of any of the same name. An object stays one: other interceptors may expect it. */
export function withFields(headers: unknown, fields: readonly (readonly [name: string, value: string])[]): unknown {
  // What undici refuses, it is to see.
  if (fields.length === 0 || !['object', 'undefined'].includes(typeof headers)) return headers
  const others = pairsOf(headers).filter(([name]) => !fields.some(([field]) => field === name.toLowerCase()))
  const all = [...others, ...fields]
  if (!Array.isArray(headers)) return Object.fromEntries(all)
  return headers.length % 2 === 0 ? all.flat() : [...headers, ...fields.flat()]
}

/** The values of a response's field in undici 6, as one list (RFC 9110 5.3): its headers are a flat list of bytes. */
export function rawField(raw: unknown, name: string): string | undefined {
  if (!Array.isArray(raw)) return undefined
  return listOf(raw.filter((_value, index) => index % 2 === 1 && String(raw[index - 1]).toLowerCase() === name))
}

/** The values of a response's field in undici 7 and 8, as one list. */
export function listOf(values: unknown): string | undefined {
  const list = [values].flat().filter((value) => value !== undefined)
  return list.length === 0 ? undefined : list.map(String).join(', ')
}
