import { HopwiseError } from '../errors.js'
import type { Fields } from '../http.js'
import { parseOptions, valueField } from '../options.js'
import type { StoredResponse } from './store.js'

/** Makes something of a response that only its own key's owner can read again. */
export interface Sealer {
  seal(key: string, response: StoredResponse): Promise<StoredResponse>
  /** @throws HopwiseError `seal-unopened` where it was sealed with a key that is not known, for another record, or was changed */
  open(key: string, sealed: StoredResponse): Promise<StoredResponse>
}

/** WebCrypto's CryptoKey, by a name that is there with and without the types of a browser. */
type SecretKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

/** The options of {@link aesGcmSealer}. */
export interface AesGcmOptions {
  /** The secret keys by id: 16 or 32 bytes each, or AES-GCM CryptoKeys. Keep an old one for as long as `retention`. */
  readonly keys: Readonly<Record<string, Uint8Array<ArrayBuffer> | SecretKey>>
  /** The id of the key that seals from now on. */
  readonly current: string
}

const marker = 'hopwise-sealed'
const nonceBytes = 12

/**
 * Seals stored responses by AES-GCM (WebCrypto) with a random nonce of 96 bits each. Fields, body and request id are
 * sealed together, with the scoped key and the status as associated data: a record that is moved to another key, or
 * whose status was changed, does not open. The status stays readable. Saved phases are not sealed. To rotate: add a key, make it current, and remove the old one
 * once the retention is over.
 * @throws HopwiseError `option-unknown`, `option-invalid`
 */
export function aesGcmSealer(options: AesGcmOptions): Sealer {
  const { keys, current } = parseOptions('aesGcmSealer', options, {
    keys: { ...valueField<AesGcmOptions['keys']>('an object of keys of 16 or 32 bytes by id', areKeys), required: true as const },
    current: { ...valueField<string>('the id of one of the keys', (id) => typeof id === 'string' && Object.hasOwn(options.keys ?? {}, id)), required: true as const },
  })
  const imported = new Map(
    Object.entries(keys).map(([id, key]) => [
      id,
      key instanceof Uint8Array ? crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt', 'decrypt']) : Promise.resolve(key),
    ]),
  )
  const keyOf = async (id: string): Promise<SecretKey> => {
    const key = await imported.get(id)
    if (key === undefined) throw new HopwiseError('seal-unopened', `a stored response was sealed with a key that is not among keys: ${JSON.stringify(id)}`)
    return key
  }

  return {
    async seal(key, { status, fields, body, requestId }) {
      const head = new TextEncoder().encode(JSON.stringify({ fields, requestId, kept: body !== null }))
      const plain = new Uint8Array(4 + head.length + (body?.length ?? 0))
      new DataView(plain.buffer).setUint32(0, head.length)
      plain.set(head, 4)
      if (body !== null) plain.set(body, 4 + head.length)
      const iv = crypto.getRandomValues(new Uint8Array(nonceBytes))
      const sealed = new Uint8Array(await crypto.subtle.encrypt(parameters(iv, key, status), await keyOf(current), plain))
      const whole = new Uint8Array(nonceBytes + sealed.length)
      whole.set(iv)
      whole.set(sealed, nonceBytes)
      return { status, fields: [[marker, current]], body: whole, requestId: undefined }
    },

    async open(key, { status, fields, body }) {
      const id = fields.find(([name]) => name === marker)?.[1]
      // A store that had no room for the body dropped all that was sealed: what is left is that the request is done.
      if (id !== undefined && body === null) return { status, fields: [], body: null, requestId: undefined }
      if (id === undefined || body === null) throw new HopwiseError('seal-unopened', 'a stored response is not sealed; clear ones are not taken where a sealer is set')
      const secret = await keyOf(id)
      const whole = new Uint8Array(body)
      const plain = await crypto.subtle.decrypt(parameters(whole.subarray(0, nonceBytes), key, status), secret, whole.subarray(nonceBytes)).catch(() => {
        throw new HopwiseError('seal-unopened', 'a stored response was changed, or belongs to another key')
      })
      const length = new DataView(plain).getUint32(0)
      const head = JSON.parse(new TextDecoder().decode(new Uint8Array(plain, 4, length))) as { fields: Fields; requestId?: string; kept: boolean }
      return { status, fields: head.fields, requestId: head.requestId, body: head.kept ? new Uint8Array(plain.slice(4 + length)) : null }
    },
  }
}

function parameters(iv: Uint8Array<ArrayBuffer>, key: string, status: number) {
  return { name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(`${status} ${key}`) }
}

function areKeys(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const keys = Object.values(value)
  return keys.length > 0 && keys.every((key) => (key instanceof Uint8Array ? key.length === 16 || key.length === 32 : typeof key === 'object' && key !== null && 'algorithm' in key))
}
