import { equal } from '../../store/expect.js'
import type { AdapterCase } from '../case.js'

const uuid7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** Request ids: what is taken, what is replaced, and that the handler finds the one that is answered with. */
export const requestIdCases: readonly AdapterCase[] = [
  {
    title: 'a request without an id gets a new one, in the response and in the context',
    run: async ({ get }) => {
      const response = await get('/who')
      equal(uuid7.test(response.field('x-request-id') ?? ''), true, 'x-request-id is a version 7 UUID')
      equal(JSON.parse(response.body.toString()), { requestId: response.field('x-request-id') }, 'the id in the handler')
    },
  },
  {
    title: 'an id that is not trusted is not echoed',
    run: async ({ get }) => {
      const response = await get('/who', { 'x-request-id': 'client-made-id-1' })
      equal(uuid7.test(response.field('x-request-id') ?? ''), true, 'x-request-id is new')
    },
  },
  {
    title: 'a trusted id is taken',
    setup: { requestId: { trust: true } },
    run: async ({ get }) => {
      const response = await get('/who', { 'x-request-id': 'edge-made-id-1' })
      equal(response.field('x-request-id'), 'edge-made-id-1', 'x-request-id')
      equal(JSON.parse(response.body.toString()), { requestId: 'edge-made-id-1' }, 'the id in the handler')
    },
  },
  ...['short', 'x'.repeat(129), 'has space in it', '<script>alert(1)</script>', '"};DROP TABLE', 'caf\u00e9-id-1234'].map((bad): AdapterCase => ({
    title: `a bad id is replaced even if ids are trusted: ${JSON.stringify(bad.slice(0, 30))}`,
    setup: { requestId: { trust: true } },
    run: async ({ get }) => {
      const response = await get('/who', { 'x-request-id': bad })
      equal(uuid7.test(response.field('x-request-id') ?? ''), true, 'x-request-id is new')
    },
  })),
  {
    title: 'a repeated id is replaced',
    setup: { requestId: { trust: true } },
    run: async ({ get }) => {
      const response = await get('/who', { 'x-request-id': ['first-id-1', 'second-id-2'] })
      equal(uuid7.test(response.field('x-request-id') ?? ''), true, 'x-request-id is new')
    },
  },
]
