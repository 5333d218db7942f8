/** Header fields as they were written: name and value pairs, in order, repeated names kept. */
export type Fields = readonly (readonly [name: string, value: string])[]

/** A whole HTTP response as plain data. `body` is the bytes exactly as the handler wrote them. */
export interface PlainResponse {
  readonly status: number
  readonly fields: Fields
  readonly body: Uint8Array
}

/** All values of the field `name` (lower case), in order. */
export function fieldValues(fields: Fields, name: string): string[] {
  return fields.filter(([field]) => field.toLowerCase() === name).map(([, value]) => value)
}
