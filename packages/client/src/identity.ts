import { createUuid7, outgoingFields } from '@hopwise/core'
import { isIdempotent } from './methods.js'
import type { Settings } from './options.js'

const newUuid7 = /* @__PURE__ */ createUuid7()

/** The fields that a call gets besides its own, the same on each of its attempts. */
export interface Identity {
  readonly add: readonly (readonly [name: string, value: string])[]
  /** Whether the call has an Idempotency-Key, the caller's or one that was made. */
  readonly keyed: boolean
  readonly requestId: string
}

/**
 * The identity of a call: its key, its request id and its place in the trace. What the caller has written stays. The id is that of the
 * request on whose behalf the call is made, where there is one.
 * @param field the caller's value of a field, by its name in lower case
 * @throws TypeError where the function for `idempotencyKey` gives what no field can hold
 */
export function identify(method: string, url: URL, field: (name: string) => string | null | undefined, settings: Settings): Identity {
  const { keyField, requestIdField, trusted } = settings
  const isTrusted = trusted.has(url.origin)
  const key = present(field(keyField)) ? undefined : isTrusted ? makeKey(method, url, settings) : undefined
  const ownId = field(requestIdField)
  const context = outgoingFields(undefined, { requestIdHeader: requestIdField })
  if (!context.some(([name]) => name === requestIdField)) context.push([requestIdField, newUuid7()])
  // What services say to each other is nobody else's: a stranger gets the id only.
  const told = context.filter(([name]) => (isTrusted || name === requestIdField) && !present(field(name)))
  return {
    add: key === undefined ? told : [[keyField, key], ...told],
    keyed: key !== undefined || present(field(keyField)),
    requestId: (present(ownId) ? ownId : context.find(([name]) => name === requestIdField)?.[1]) ?? '',
  }
}

function makeKey(method: string, url: URL, { idempotencyKey }: Settings): string | undefined {
  if (isIdempotent(method) || idempotencyKey === 'none') return undefined
  // Browsers have randomUUID in secure contexts only.
  if (idempotencyKey === 'auto') return (crypto as Partial<Crypto>).randomUUID?.() ?? newUuid7()
  const key = idempotencyKey({ method, url })
  if (key !== undefined && !/^[!-~]{1,255}$/.test(key)) throw new TypeError('idempotencyKey: the key has to be 1 to 255 visible ASCII characters')
  return key
}

function present(value: string | null | undefined): value is string {
  return value !== null && value !== undefined && value !== ''
}
