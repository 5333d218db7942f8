type Pairs = readonly (readonly [name: string, value: unknown])[]

/** The name and value pairs of whatever undici takes for `headers`: a flat list, an object, or anything that gives pairs. */
function pairsOf(headers: unknown): Pairs {
  if (typeof headers !== 'object' || headers === null) return []
  if (Array.isArray(headers)) {
    if (headers.every((entry) => Array.isArray(entry))) return headers as unknown as Pairs
    return headers.flatMap((name, at): Pairs => (at % 2 === 0 ? [[String(name), headers[at + 1]]] : []))
  }
  if (Symbol.iterator in headers) return [...(headers as Iterable<readonly [string, unknown]>)]
  return Object.entries(headers)
}

/** The first value of a request's field, by its name in lower case. */
export function requestField(headers: unknown, name: string): string | undefined {
  const value = pairsOf(headers).find(([field]) => field.toLowerCase() === name)?.[1]
  const first: unknown = Array.isArray(value) ? value[0] : value
  return first === undefined || first === null ? undefined : String(first)
}

/** The headers with some more fields, in the shape that they had: other interceptors may expect it. */
export function withFields(headers: unknown, add: readonly (readonly [name: string, value: string])[]): unknown {
  if (add.length === 0) return headers
  if (headers === undefined || headers === null) return Object.fromEntries(add)
  if (Array.isArray(headers) && !headers.every((entry) => Array.isArray(entry))) return [...headers, ...add.flat()]
  if (Symbol.iterator in Object(headers)) return [...pairsOf(headers), ...add].flat()
  return { ...headers, ...Object.fromEntries(add) }
}

/** The value of a response's field in undici 6: a flat list of bytes. */
export function rawField(raw: unknown, name: string): string | undefined {
  if (!Array.isArray(raw)) return undefined
  const at = raw.findIndex((entry, index) => index % 2 === 0 && String(entry).toLowerCase() === name)
  return at === -1 ? undefined : String(raw[at + 1])
}
