import { digest } from './digest.js'

/**
 * The key under which a record is stored: a digest over who asks, for what, with which key. Each part is preceded by
 * its length, so no crafted principal, route or key falls on another caller's record, and a dump of the store holds
 * no caller's name.
 */
export function scopedKey(principal: string | undefined, method: string, route: string, key: string): Promise<string> {
  return digest([principal === undefined ? 'global' : 'principal', principal ?? '', method, route, key])
}
