import { memoryStore } from '@hopwise/core'
import { equal } from '../../store/expect.js'
import type { AdapterCase } from '../case.js'
import { essence } from '../tools.js'
import { heldStore, type HeldStore } from './held-store.js'

/** The response's way out: nothing is late but its last piece, and that waits for the store. */
export const captureCases: readonly AdapterCase[] = [
  {
    title: 'a stream flows at once, is replayed whole, and runs once',
    needs: 'streams',
    run: async ({ connect, postText, post, open, executions }) => {
      const connection = await connect()
      connection.write(postText('/stream', { key: 'key-1' }))
      let seen = ''
      for (let count = 1; !seen.includes('first;'); count = seen.length + 1) seen = await connection.bytes(count)
      equal(seen.includes('second;'), false, 'the second chunk came early')
      await open('stream')
      const first = await connection.response()
      equal(first.body.toString(), 'first;second;last', 'the first body')
      equal(essence(await post('/stream', { key: 'key-1' })), essence(first), 'the replay')
      equal(await executions('/stream'), 1, 'executions')
    },
  },
  ...['/orders', '/empty', '/binary', '/stream'].map((path): AdapterCase => ({
    title: `the answer of ${path} is not whole before its result is stored`,
    setup: { store: () => heldStore('complete'), idempotency: { storeDeadline: '30s' } },
    ...(path === '/stream' && { needs: 'streams' as const }),
    run: async ({ connect, postText, open, store }) => {
      const held = store as HeldStore
      const connection = await connect()
      let whole = false
      connection.write(postText(path, { key: 'key-1' }))
      const response = connection.response().then((answer) => {
        whole = true
        return answer
      })
      await open('stream')
      await held.called
      // Whatever was sent before the store was asked has arrived by the time another exchange is over.
      await open('nothing')
      equal(whole, false, 'the answer was whole before its result was stored')
      held.letGo()
      equal((await response).status < 400, true, 'the answer came in the end')
    },
  })),
  {
    title: 'an owner that lost its key neither stores nor sends its result',
    setup: {
      store: () => {
        const store = memoryStore()
        return { ...store, complete: async () => false }
      },
    },
    run: async ({ post }) => {
      const response = await post('/binary', { key: 'key-1' })
      equal([response.status, response.field('x-run'), response.field('content-type')], [409, undefined, 'application/problem+json'], 'what the stale owner\'s client gets')
      equal(response.field('x-request-id') === undefined, false, 'the request id is kept')
    },
  },
]
