import { equal } from '../../store/expect.js'
import type { AdapterCase } from '../case.js'
import { essence, problemType } from '../tools.js'

const kept: Readonly<Record<string, number>> = {
  '/orders': 201,
  '/binary': 200,
  '/empty': 204,
  '/see-other': 303,
  '/not-modified': 304,
  '/linked': 200,
  '/declined': 402,
  '/broken': 500,
  '/throw': 500,
}

/** A retry after the first answer: the same bytes, and one execution. */
export const replayCases: readonly AdapterCase[] = [
  ...Object.entries(kept).map(([path, status]): AdapterCase => ({
    title: `POST ${path} (${status}) is answered twice with the same status, fields and bytes, and runs once`,
    run: async ({ post, executions }) => {
      const first = await post(path, { key: 'key-1' })
      const second = await post(path, { key: 'key-1' })
      equal(first.status, status, 'status')
      equal(essence(second), essence(first), 'the replay')
      equal([first.field('idempotent-replayed'), second.field('idempotent-replayed')], [undefined, 'true'], 'the marks')
      equal(await executions(path), 1, 'executions')
    },
  })),
  {
    title: 'a replay sets no cookie, and has its own id beside the first one\'s',
    run: async ({ post }) => {
      const first = await post('/orders', { key: 'key-1' })
      const second = await post('/orders', { key: 'key-1' })
      equal(first.field('set-cookie'), 'sid=1', 'the first cookie')
      equal(second.field('set-cookie'), undefined, 'the replayed cookie')
      equal(second.field('x-original-request-id'), first.field('x-request-id'), 'the first one\'s id')
      equal(second.field('x-request-id') === first.field('x-request-id'), false, 'the ids are the same')
    },
  },
  {
    title: 'a response over the limit is sent whole, and replayed as a mark without its body',
    run: async ({ post, executions }) => {
      const first = await post('/large', { key: 'key-1' })
      const second = await post('/large', { key: 'key-1' })
      equal(first.body.length, 10 * 2 ** 20, 'bytes of the first')
      equal([second.status, second.body.length, second.field('idempotent-body')], [200, 0, 'omitted'], 'the replay')
      equal(second.field('x-run'), '1', 'a field of the replay')
      equal(await executions('/large'), 1, 'executions')
    },
  },
  {
    title: 'a 10 MiB response below the limit is replayed whole',
    setup: { idempotency: { maxResponseBytes: 12 * 2 ** 20 } },
    run: async ({ post }) => {
      const first = await post('/large', { key: 'key-1' })
      equal(first.body.length, 10 * 2 ** 20, 'bytes of the first')
      equal((await post('/large', { key: 'key-1' })).body.equals(first.body), true, 'the replayed bytes')
    },
  },
  {
    title: 'a field that is there twice is replayed twice',
    run: async ({ post }) => {
      await post('/linked', { key: 'key-1' })
      const second = await post('/linked', { key: 'key-1' })
      // Two lines or one with a comma are the same (RFC 9110 section 5.3).
      const values = second.fields.filter(([name]) => name === 'link').flatMap(([, value]) => value.split(/, (?=<)/))
      equal([second.field('idempotent-replayed'), values], ['true', ['</orders/1>; rel="self"', '</orders>; rel="up"']], 'the replay')
    },
  },
  {
    title: '429 gives the key back: a retry runs again',
    run: async ({ post, executions }) => {
      await post('/busy', { key: 'key-1' })
      const second = await post('/busy', { key: 'key-1' })
      equal([second.status, second.field('idempotent-replayed')], [429, undefined], 'the retry')
      equal(await executions('/busy'), 2, 'executions')
    },
  },
  {
    title: 'a handler that throws NoEffectError gives the key back, whatever the error path answers',
    run: async ({ post, executions }) => {
      equal((await post('/no-effect', { key: 'key-1' })).status, 500, 'the answer of the error path')
      equal((await post('/no-effect', { key: 'key-1' })).field('idempotent-replayed'), undefined, 'the retry')
      equal(await executions('/no-effect'), 2, 'executions')
    },
  },
  {
    title: 'an event stream is refused at once, and its key is given back',
    needs: 'streams',
    run: async ({ post, executions }) => {
      const first = await post('/events', { key: 'key-1' })
      equal([first.status, problemType(first)], [500, 'endless-stream'], 'the answer')
      equal((await post('/events', { key: 'key-1' })).field('idempotent-replayed'), undefined, 'the retry')
      equal(await executions('/events'), 2, 'executions')
    },
  },
  {
    title: 'a handler has phases, and the same derived key in each run',
    run: async ({ post }) => {
      const [first, second] = [await post('/phases', { key: 'key-1' }), await post('/phases', { key: 'key-1' })]
      const [one, two] = [first, second].map((response) => JSON.parse(response.body.toString()) as { charge: string; key: string })
      equal([one?.charge, two?.charge], ['charged by run 1', 'charged by run 2'], 'the phases of two runs, of which the first had no effect')
      equal([one?.key.length, two?.key], [64, one?.key], 'the derived keys')
    },
  },
  {
    title: 'a handler that says that nothing happened gives the key back',
    run: async ({ post, executions }) => {
      await post('/released', { key: 'key-1' })
      const second = await post('/released', { key: 'key-1' })
      equal(JSON.parse(second.body.toString()), { attempt: 2, fence: 2 }, 'the retry')
      equal(await executions('/released'), 2, 'executions')
    },
  },
]
