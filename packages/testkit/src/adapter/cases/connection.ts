import { equal } from '../../store/expect.js'
import type { AdapterCase } from '../case.js'
import { requestText } from '../raw-client.js'
import { problemType } from '../tools.js'

/** What a connection is good for after each kind of answer, and while the server drains. */
export const connectionCases: readonly AdapterCase[] = [
  {
    title: 'one connection serves a run, its replay, each refusal and a request that is not protected, in order',
    setup: { idempotency: { maxRequestBytes: 1_000 } },
    run: async ({ connect, postText, executions }) => {
      const connection = await connect()
      const ask = async (text: Uint8Array) => {
        connection.write(text)
        return connection.response()
      }
      equal((await ask(postText('/orders', { key: 'key-1' }))).status, 201, 'the run')
      equal((await ask(postText('/orders', { key: 'key-1' }))).field('idempotent-replayed'), 'true', 'the replay')
      equal(problemType(await ask(postText('/orders'))), 'key-missing', 'without a key')
      equal(problemType(await ask(postText('/orders', { key: 'a key' }))), 'key-invalid', 'a bad key')
      equal(problemType(await ask(postText('/orders', { key: 'key-1', body: '{"a":2}' }))), 'key-reused', 'another body')
      equal(problemType(await ask(postText('/orders', { key: 'key-2', user: '' }))), 'principal-missing', 'nobody')
      equal((await ask(requestText('GET', '/who', {}))).status, 200, 'what is not protected')
      equal((await ask(postText('/orders', { key: 'key-3' }))).status, 201, 'another run')
      equal(await executions('/orders'), 2, 'executions')
    },
  },
  {
    title: 'a HEAD request has the fields of its GET and no body, and its connection goes on',
    run: async ({ connect }) => {
      const connection = await connect()
      connection.write(requestText('HEAD', '/who', { 'content-length': [] }))
      const head = await connection.response({ toHead: true })
      equal([head.status, head.field('x-request-id') === undefined], [200, false], 'status, and that there is an id')
      connection.write(requestText('GET', '/who', {}))
      equal((await connection.response()).status, 200, 'what comes next on the connection')
    },
  },
  {
    title: 'a body that waits for 100 Continue is asked for, and fingerprinted like every other',
    needs: 'expectContinue',
    run: async ({ connect, post, postText, executions }) => {
      const body = '{"a":1}'
      const text = postText('/orders', { key: 'key-1', body, fields: { expect: '100-continue' } })
      const connection = await connect()
      connection.write(text.subarray(0, text.length - body.length))
      equal((await connection.bytes('HTTP/1.1 100'.length)).startsWith('HTTP/1.1 100'), true, 'the interim response')
      connection.write(body)
      equal((await connection.response()).status, 201, 'the answer')
      equal((await post('/orders', { key: 'key-1', body })).field('idempotent-replayed'), 'true', 'the retry')
      equal(await executions('/orders'), 1, 'executions')
    },
  },
  {
    title: 'while the server drains, what is being served and what comes on an open connection is answered with close',
    needs: 'drain',
    run: async ({ connect, drain, post, postText, reached }) => {
      const [serving, idle, piped, gate] = [await connect(), await connect(), await connect(), await connect()]
      await post('/orders', { key: 'key-1' })
      for (const connection of [idle, piped, gate]) {
        connection.write(requestText('GET', '/who', {}))
        equal((await connection.response()).field('connection') === 'close', false, 'close before the drain')
      }
      serving.write(postText('/gated', { key: 'key-2' }))
      await reached('gated')
      const { over } = await drain()

      idle.write(postText('/orders', { key: 'key-1' }))
      const replay = await idle.response()
      equal([replay.status, replay.field('idempotent-replayed'), replay.field('connection')], [201, 'true', 'close'], 'a replay on an idle connection')
      equal(await idle.closed(), 'end', 'what becomes of that connection')

      piped.write(Buffer.concat([postText('/orders', { key: 'key-3' }), postText('/declined', { key: 'key-4' })]))
      const answers = [await piped.response(), await piped.response()]
      equal(answers.map(({ status }) => status), [201, 402], 'pipelined requests')
      equal(answers.map((answer) => answer.field('connection') === 'close'), [false, true], 'close on them')

      // The listener is closed: the gate is opened on a connection that was there before.
      gate.write(requestText('GET', '/control/open?gate=gated', {}))
      await gate.response()
      const served = await serving.response()
      equal([served.status, served.field('connection')], [201, 'close'], 'what was being served')
      equal(await serving.closed(), 'end', 'what becomes of its connection')
      await over
    },
  },
]
