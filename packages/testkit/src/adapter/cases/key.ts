import { equal } from '../../store/expect.js'
import type { AdapterCase } from '../case.js'
import { problemType } from '../tools.js'

const refusedKeys: Readonly<Record<string, string | readonly string[]>> = {
  'a list': 'one, two',
  'a repeated field': ['one', 'two'],
  'a repeated field with the same value': ['one', 'one'],
  'more than 255 characters': 'k'.repeat(256),
  'nothing': '',
  'an empty string': '""',
  'an open quote': '"one',
  'parameters': '"one";a=1',
  'a space': 'one two',
  'a character beyond ASCII': 'caf\u00e9',
}

/** The key: what is one, whose it is, and what it is for. */
export const keyCases: readonly AdapterCase[] = [
  {
    title: 'a protected request without a key is refused, and its handler does not run',
    run: async ({ post, executions }) => {
      const response = await post('/orders')
      equal(response.status, 400, 'status')
      equal(problemType(response), 'key-missing', 'problem')
      equal(await executions('/orders'), 0, 'executions')
    },
  },
  {
    title: 'a request without a key passes where keys are not required',
    setup: { idempotency: { required: false } },
    run: async ({ post, executions }) => {
      equal([(await post('/orders')).status, (await post('/orders')).status], [201, 201], 'statuses')
      equal(await executions('/orders'), 2, 'executions')
    },
  },
  ...Object.entries(refusedKeys).map(([what, key]): AdapterCase => ({
    title: `a key that is ${what} is refused`,
    run: async ({ post, executions }) => {
      const response = await post('/orders', { fields: { 'idempotency-key': key } })
      equal(response.status, 400, 'status')
      equal(problemType(response), 'key-invalid', 'problem')
      equal(await executions('/orders'), 0, 'executions')
    },
  })),
  {
    title: 'a quoted key and a bare one are the same key',
    run: async ({ post, executions }) => {
      equal((await post('/orders', { key: 'key-1' })).field('idempotent-replayed'), undefined, 'first')
      equal((await post('/orders', { key: '"key-1"' })).field('idempotent-replayed'), 'true', 'second')
      equal(await executions('/orders'), 1, 'executions')
    },
  },
  {
    title: 'the name of the field may be written in any case',
    run: async ({ post, executions }) => {
      equal((await post('/orders', { fields: { 'IDEMPOTENCY-KEY': 'key-1' } })).status, 201, 'first')
      equal((await post('/orders', { fields: { 'Idempotency-Key': 'key-1' } })).field('idempotent-replayed'), 'true', 'second')
      equal(await executions('/orders'), 1, 'executions')
    },
  },
  {
    title: 'two callers with one key do not meet',
    run: async ({ post, executions }) => {
      const alice = await post('/orders', { key: 'key-1', user: 'alice' })
      const mallory = await post('/orders', { key: 'key-1', user: 'mallory' })
      equal([alice.status, mallory.status], [201, 201], 'statuses')
      equal(mallory.field('idempotent-replayed'), undefined, 'mallory is not answered with a replay')
      equal(await executions('/orders'), 2, 'executions')
    },
  },
  {
    title: 'a keyed request of an unknown caller is refused',
    run: async ({ post, executions }) => {
      const response = await post('/orders', { key: 'key-1', user: '' })
      equal(response.status, 400, 'status')
      equal(problemType(response), 'principal-missing', 'problem')
      equal(await executions('/orders'), 0, 'executions')
    },
  },
  {
    title: 'one key on two routes is two keys',
    run: async ({ post, executions }) => {
      equal([(await post('/orders', { key: 'key-1' })).status, (await post('/declined', { key: 'key-1' })).status], [201, 402], 'statuses')
      equal([await executions('/orders'), await executions('/declined')], [1, 1], 'executions')
    },
  },
  ...([
    ['body', { body: '{"a":2}' }],
    ['query', {}],
    ['content type', { fields: { 'content-type': 'text/plain' } }],
  ] as const).map(([what, difference]): AdapterCase => ({
    title: `a key that comes again with another ${what} is refused with 422`,
    run: async ({ post, executions }) => {
      await post('/orders', { key: 'key-1' })
      const response = await post(what === 'query' ? '/orders?page=2' : '/orders', { key: 'key-1', ...difference })
      equal(response.status, 422, 'status')
      equal(problemType(response), 'key-reused', 'problem')
      equal(await executions('/orders'), 1, 'executions')
    },
  })),
  {
    title: 'a method that is not protected passes',
    run: async ({ get }) => equal((await get('/who')).status, 200, 'status'),
  },
]
