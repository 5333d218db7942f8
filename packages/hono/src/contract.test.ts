import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { adapterContract, bootServer } from '@hopwise/testkit/adapter'
import { describe, expect, test } from 'vitest'
import * as hopwise from './index.js'
import { contractApp } from './testing/contract-app.mjs'

describe('hono on @hono/node-server', () => {
  const contract = adapterContract({
    name: 'hono on node',
    capabilities: { streams: true, pipelining: true, parserFirst: true },
    boot: (setup) => bootServer(createAdaptorServer({ fetch: contractApp(setup, hopwise).fetch }) as Server),
  })
  test.each(contract.cases.map((one) => [one.name, one.run] as const))('%s', async (_name, run) => run())
  test('nothing is skipped', () => expect(contract.skipped).toEqual([]))
})
