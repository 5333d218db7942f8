import { digest } from './digest.js'

/**
 * The key under which a record is stored: a digest over who asks, for what, with which key. No crafted
 * principal, route or key falls on another caller's record, and a dump of the store holds no caller's name.
 */
export function scopedKey(scope: string, principal: string | undefined, method: string, route: string, key: string): Promise<string> {
  return digest([scope, principal ?? '', method, route, key])
}
