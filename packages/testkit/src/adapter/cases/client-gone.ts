import { equal } from '../../store/expect.js'
import type { AdapterCase } from '../case.js'
import type { AdapterTools } from '../tools.js'
import { heldStore, type HeldStore } from './held-store.js'

/** Retries until the answer is no longer 409: how a client finds out that the first run is over. */
async function untilDone(post: AdapterTools['post'], path: string) {
  for (;;) {
    const response = await post(path, { key: 'key-1' })
    if (response.status !== 409) return response
  }
}

/** Where a request is cut: how many of its bytes leave. */
const breakPoints: Readonly<Record<string, (text: Uint8Array) => number>> = {
  'before its first byte': () => 0,
  'in its request line': () => 8,
  'in the header': (text) => Buffer.from(text).indexOf('idempotency-key') + 20,
  'in the end of the header': (text) => Buffer.from(text).indexOf('\r\n\r\n') + 3,
  'before the body': (text) => Buffer.from(text).indexOf('\r\n\r\n') + 4,
  'in the body': (text) => text.length - 3,
}

/** A client that goes away at every point of an exchange. */
export const clientGoneCases: readonly AdapterCase[] = [
  {
    title: 'a client that goes away while the handler runs gets the result of that run on its retry',
    run: async ({ connect, post, postText, open, reached, executions }) => {
      const connection = await connect()
      connection.write(postText('/gated', { key: 'key-1' }))
      await reached('gated')
      connection.destroy()
      await open('gated')
      const retry = await untilDone(post, '/gated')
      equal([retry.status, retry.field('idempotent-replayed')], [201, 'true'], 'the retry')
      equal(await executions('/gated'), 1, 'executions')
    },
  },
  {
    title: 'a client that goes away while its key is claimed: the handler gets the whole body, and the retry its answer',
    setup: { store: () => heldStore('claim'), idempotency: { storeDeadline: '30s' } },
    run: async ({ connect, get, post, postText, store, executions }) => {
      const held = store as HeldStore
      const connection = await connect()
      connection.write(postText('/echo', { key: 'key-1', body: 'the whole body' }))
      await held.called
      connection.reset()
      // By the time that two more connections have been served, the server has seen the reset.
      await get('/who')
      await get('/who')
      held.letGo()
      const retry = await untilDone((path, sent) => post(path, { ...sent, body: 'the whole body' }), '/echo')
      equal([retry.status, retry.body.toString()], [200, 'the whole body'], 'the retry')
      equal(await executions('/echo'), 1, 'executions')
    },
  },
  {
    title: 'a client that goes away in the middle of a stream gets the whole of it on its retry',
    needs: 'streams',
    run: async ({ connect, post, postText, open, executions }) => {
      const connection = await connect()
      connection.write(postText('/stream', { key: 'key-1' }))
      for (let seen = ''; !seen.includes('first;'); ) seen = await connection.bytes(seen.length + 1)
      connection.destroy()
      await open('stream')
      const retry = await untilDone(post, '/stream')
      equal([retry.body.toString(), retry.field('idempotent-replayed')], ['first;second;last', 'true'], 'the retry')
      equal(await executions('/stream'), 1, 'executions')
    },
  },
  ...Object.entries(breakPoints).flatMap(([where, at]) =>
    (['ends', 'is reset'] as const).map((how): AdapterCase => ({
      title: `a connection that ${how} ${where} claims nothing`,
      run: async ({ connect, post, postText, executions }) => {
        const text = postText('/orders', { key: 'key-1' })
        const connection = await connect()
        await connection.flushed(text.subarray(0, at(text)))
        if (how === 'ends') {
          connection.socket.end()
          await connection.closed()
        } else connection.reset()
        const retry = await post('/orders', { key: 'key-1' })
        equal([retry.status, retry.field('idempotent-replayed')], [201, undefined], 'the retry')
        equal(await executions('/orders'), 1, 'executions')
      },
    })),
  ),
  ...(['ends', 'is reset'] as const).flatMap((how) =>
    ([['as soon as its request is whole', false], ['when the first byte of the answer has come', true]] as const).map(([when, waits]): AdapterCase => ({
      title: `a connection that ${how} ${when}: one execution, whose answer its retry gets`,
      run: async ({ connect, post, postText, executions }) => {
        const connection = await connect()
        await connection.flushed(postText('/orders', { key: 'key-1' }))
        if (waits) await connection.bytes(1)
        if (how === 'ends') connection.socket.end()
        else connection.reset()
        const retry = await untilDone(post, '/orders')
        equal([retry.status, retry.field('x-order')], [201, '1'], 'the retry')
        equal(await executions('/orders'), 1, 'executions')
      },
    })),
  ),
]
