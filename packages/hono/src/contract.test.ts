import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { adapterContract, bootServer, installed, testAdapterContract } from '@hopwise/testkit/adapter'
import { describe, expect, test } from 'vitest'
import * as hopwise from './index.js'
import { attach } from './node.js'
import { contractApp } from './testing/contract-app.mjs'

describe('hono on @hono/node-server', () => {
  const contract = adapterContract({
    name: '@hopwise/hono',
    framework: installed('hono', import.meta.url),
    capabilities: { streams: true, pipelining: true, parserFirst: true, expectContinue: true, drain: true },
    boot: (setup) => {
      const server = createAdaptorServer({ fetch: contractApp(setup, hopwise).fetch }) as Server
      const hop = attach(server, { chain: ['nginx'] })
      return bootServer(server, () => hop.drain())
    },
  })
  testAdapterContract(contract, test)
  test('nothing is skipped', () => expect(contract.skipped).toEqual([]))
})
