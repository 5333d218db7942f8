import { errorText } from '@hopwise/core'
import type { Connection } from './clients.js'
import type { Script } from './scripts.js'

/** Runs a script on one key with these arguments, and gives its reply. */
export type RunScript = (script: Script, key: string, args: readonly string[]) => Promise<unknown>

/**
 * Runs scripts by their digest: one round trip, and a few bytes. A server that does not have the script (a new one, one
 * that was restarted, another node of the cluster) refuses before it does anything; then the whole text is sent, once.
 */
export function scriptRunner({ send }: Connection): RunScript {
  return async (script, key, args) => {
    const digest = await digestOf(script)
    try {
      return await send(['EVALSHA', digest, '1', key, ...args], key)
    } catch (error) {
      if (!errorText(error).includes('NOSCRIPT')) throw error
      return send(['EVAL', script.text, '1', key, ...args], key)
    }
  }
}

const digests = new WeakMap<Script, Promise<string>>()

function digestOf(script: Script): Promise<string> {
  const known = digests.get(script)
  if (known !== undefined) return known
  // Web Crypto and not node:crypto, so that the store runs where there is no Node.
  const digest = crypto.subtle
    .digest('SHA-1', new TextEncoder().encode(script.text))
    .then((bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join(''))
  digests.set(script, digest)
  return digest
}
