import { expect, expectTypeOf, test } from 'vitest'
import { createClient, type Client } from './index.js'

test('a client can stand wherever a fetch is asked for', () => {
  expectTypeOf<Client>().toExtend<(input: string | URL, init?: RequestInit) => Promise<Response>>()
  expectTypeOf<Client>().toExtend<typeof fetch>()
  expect(createClient()).toBeTypeOf('function')
})
