/** A value as it can stand in a message: short, and never a dump of a client's or a driver's object. */
export function show(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (isObject(value)) return Array.isArray(value) ? 'an array' : 'an object'
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

/** Whether `value` is an object: an array is one, a function is not. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
