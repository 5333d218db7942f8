import { equal, within } from '../../store/expect.js'
import type { AdapterCase } from '../case.js'
import { problemType } from '../tools.js'

/** Two requests with one key at the same time. */
export const conflictCases: readonly AdapterCase[] = [
  {
    title: 'a retry while the first request runs is refused with 409 and Retry-After, then replayed',
    run: async ({ connect, post, postText, open, reached, executions }) => {
      const first = await connect()
      first.write(postText('/gated', { key: 'key-1' }))
      await reached('gated')
      const conflict = await post('/gated', { key: 'key-1' })
      equal(conflict.status, 409, 'status')
      equal(problemType(conflict), 'key-in-progress', 'problem')
      within(Number(conflict.field('retry-after')), 0, 30, 'Retry-After')
      await open('gated')
      equal((await first.response()).status, 201, 'the first response')
      equal((await post('/gated', { key: 'key-1' })).field('idempotent-replayed'), 'true', 'the retry')
      equal(await executions('/gated'), 1, 'executions')
    },
  },
  {
    title: 'with onConflict wait, a retry while the first request runs gets its result',
    setup: { idempotency: { onConflict: 'wait', waitAtMost: '30s' } },
    run: async ({ connect, postText, open, reached, executions }) => {
      const [first, retry] = [await connect(), await connect()]
      first.write(postText('/gated', { key: 'key-1' }))
      await reached('gated')
      retry.write(postText('/gated', { key: 'key-1' }))
      // Another exchange is over by the time that the retry has been read as well.
      await reached('gated')
      await open('gated')
      equal([(await first.response()).status, (await retry.response()).field('idempotent-replayed')], [201, 'true'], 'both answers')
      equal(await executions('/gated'), 1, 'executions')
    },
  },
  {
    title: '422 comes before 409: another request with a key that is in use is told so',
    run: async ({ connect, post, postText, open, reached }) => {
      const first = await connect()
      first.write(postText('/gated', { key: 'key-1' }))
      await reached('gated')
      equal((await post('/gated', { key: 'key-1', body: '{"a":2}' })).status, 422, 'status')
      await open('gated')
      await first.response()
    },
  },
  {
    title: '50 requests with one key at once: one execution, and only its answer or 409',
    run: async ({ post, executions }) => {
      const responses = await Promise.all(Array.from({ length: 50 }, () => post('/orders', { key: 'key-1' })))
      const bodies = new Set(responses.filter(({ status }) => status === 201).map(({ body }) => body.toString()))
      equal([...new Set(responses.map(({ status }) => status))].filter((status) => status !== 201 && status !== 409), [], 'other statuses')
      equal(bodies.size, 1, 'different answers')
      equal(await executions('/orders'), 1, 'executions')
    },
  },
  {
    title: 'two pipelined requests with their own keys are both served, in order',
    needs: 'pipelining',
    run: async ({ connect, postText, executions }) => {
      const connection = await connect()
      connection.write(Buffer.concat([postText('/orders', { key: 'key-1' }), postText('/declined', { key: 'key-2' }), postText('/orders', { key: 'key-1' })]))
      const answers = [await connection.response(), await connection.response(), await connection.response()]
      equal(answers.slice(0, 2).map(({ status }) => status), [201, 402], 'statuses')
      equal([201, 409].includes(answers[2]?.status ?? 0), true, 'the third is replayed or in progress')
      equal(await executions('/orders'), 1, 'executions')
    },
  },
]
