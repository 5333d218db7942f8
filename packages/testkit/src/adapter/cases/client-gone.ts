import { equal } from '../../store/expect.js'
import type { AdapterCase } from '../case.js'
import type { AdapterTools } from '../tools.js'

/** Retries until the answer is no longer 409: how a client finds out that the first run is over. */
async function untilDone(post: AdapterTools['post'], path: string) {
  for (;;) {
    const response = await post(path, { key: 'key-1' })
    if (response.status !== 409) return response
  }
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
  ...['in the header', 'in the body'].map((where): AdapterCase => ({
    title: `a request that breaks off ${where} claims nothing`,
    run: async ({ connect, post, postText, executions }) => {
      const text = postText('/orders', { key: 'key-1' })
      const connection = await connect()
      connection.write(text.subarray(0, where === 'in the header' ? 40 : text.length - 3))
      connection.socket.end()
      await connection.closed()
      const retry = await post('/orders', { key: 'key-1' })
      equal([retry.status, retry.field('idempotent-replayed')], [201, undefined], 'the retry')
      equal(await executions('/orders'), 1, 'executions')
    },
  })),
]
