import { rawRequest, requestText, type RawResponse } from '@hopwise/testkit/adapter'

interface Sent {
  readonly key?: string
  readonly user?: string
  readonly body?: string | Uint8Array
  readonly fields?: Readonly<Record<string, string>>
}

/** A POST with a key, of the user alice, unless it says otherwise. */
export function post(port: number, path: string, { key = 'key-1', user = 'alice', body = '{"item":"tea"}', fields = {} }: Sent = {}): Promise<RawResponse> {
  return rawRequest(port, requestText('POST', path, { ...(key !== '' && { 'idempotency-key': key }), 'x-user': user, 'content-type': 'application/json', ...fields }, body))
}

/** A GET without anything. */
export function get(port: number, path: string, fields: Readonly<Record<string, string>> = {}): Promise<RawResponse> {
  return rawRequest(port, requestText('GET', path, fields))
}

/** Sends a POST twice: both have to be the same but for the mark. Gives the first. */
export async function twice(port: number, path: string, sent?: Sent): Promise<RawResponse & { readonly same: boolean }> {
  const [first, second] = [await post(port, path, sent), await post(port, path, sent)]
  const same = first.status === second.status && first.body.equals(second.body) && first.field('content-type') === second.field('content-type') && second.field('idempotent-replayed') === 'true'
  return { ...first, same }
}
