import type { StoredResponse } from '@hopwise/core'
import type { StoreCase } from '../case.js'
import { equal } from '../expect.js'
import { plainResponse, type StoreTools } from '../tools.js'

/** A finished response comes back as it was given, to the byte. */
export const replayCases: readonly StoreCase[] = [
  replays('status, fields, body and request id', {
    status: 404,
    fields: [['content-type', 'text/plain'], ['x-empty', '']],
    body: Uint8Array.of(110, 111),
    requestId: 'request/1:+=~@',
  }),
  replays('repeated fields, their order and the case of their names', {
    ...plainResponse,
    fields: [['Link', '</b>; rel=next'], ['X-Zebra', '1'], ['link', '</a>; rel="prev"'], ['X-Apple', 'caf\u00e9 \\ "\''], ['Link', '</b>; rel=next']],
  }),
  replays('a response without any field', { ...plainResponse, status: 204, fields: [] }),
  replays('a response without a request id', { ...plainResponse, requestId: undefined }),
  replays('every byte value, and bytes that are not text', {
    ...plainResponse,
    body: Uint8Array.from({ length: 259 }, (_, at) => at < 256 ? at : ([0x00, 0xff, 0xfe][at - 256] ?? 0)),
  }),
  replays('a body that is a part of a larger buffer', { ...plainResponse, body: Uint8Array.of(9, 9, 0, 1, 2, 9, 9).subarray(2, 5) }),
  replays('an empty body as an empty body', { ...plainResponse, body: new Uint8Array(0) }),
  replays('a body that was not kept as null', { ...plainResponse, body: null }),
  {
    ...replays('a body of 1 MiB', { ...plainResponse, body: Uint8Array.from({ length: 2 ** 20 }, (_, at) => (at * 31 + (at >> 8)) & 0xff) }),
    needs: 'largeBody',
  },
  {
    title: 'replays bytes of its own: what is done to those given or got before does not matter',
    async run({ store, request, again, hold, finish }) {
      const first = request()
      const given = Uint8Array.of(1, 2, 3)
      await finish(await hold(first), { ...plainResponse, body: given })
      given.fill(9)
      for (let replay = 1; replay <= 2; replay++) {
        const result = await store.claim(again(first))
        const body = result.kind === 'done' ? result.response.body : undefined
        equal(body, Uint8Array.of(1, 2, 3), `the body of replay ${replay}`)
        body?.fill(9)
      }
    },
  },
  {
    title: 'replays as often as it is asked, and whatever the claim says of expired leases',
    async run({ store, request, again, hold, finish }) {
      const first = request()
      await finish(await hold(first))
      const asked = (['take', 'report', 1, 2] as const).flatMap((expired) => Array.from({ length: 5 }, () => again(first, { expired })))
      for (const result of await Promise.all(asked.map((each) => store.claim(each)))) {
        equal(result, { kind: 'done', response: plainResponse }, 'the replay')
      }
    },
  },
]

function replays(what: string, response: StoredResponse): StoreCase {
  return {
    title: `replays ${what}`,
    async run({ store, request, again, hold, finish }: StoreTools) {
      const first = request()
      await finish(await hold(first), response)
      equal(await store.claim(again(first)), { kind: 'done', response }, 'the replay')
    },
  }
}
