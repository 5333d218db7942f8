/** Gives the name of the object that holds a key. */
export type ShardOf = (key: string) => string

/** Spreads keys over so many objects, evenly, since a scoped key is a SHA-256 in hexadecimal digits. */
export function shardsByHash(shards: number): { readonly shardOf: ShardOf; readonly nameOf: (index: number) => string } {
  const nameOf = (index: number): string => `hopwise:${index}`
  // 8 digits are 2^32 values: with 65,536 shards, all equally many but for 1 in 65,536.
  return { nameOf, shardOf: (key) => nameOf(Number.parseInt(key.slice(0, 8), 16) % shards) }
}
