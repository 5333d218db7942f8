import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { adapterContract, bootServer, installed, testAdapterContract } from '@hopwise/testkit/adapter'
import { describe, expect, test } from 'vitest'
import { attach } from './node.js'
import { fetchApp } from './testing/fetch-app.mjs'

const readsOnce = 'a Request keeps no copy of a body that was read'

describe.each([
  ['as @hono/node-server has it', true],
  ['with the global Request left as it is', false],
])('core/fetch on @hono/node-server, %s', (_how, overrideGlobalObjects) => {
  const contract = adapterContract({
    name: '@hopwise/core/fetch',
    framework: `${installed('@hono/node-server', import.meta.url)}, ${overrideGlobalObjects ? 'its own' : 'the global'} Request`,
    capabilities: { streams: true, pipelining: true, parserFirst: readsOnce, expectContinue: true, drain: true },
    boot: (setup) => {
      const server = createAdaptorServer({ fetch: fetchApp(setup), overrideGlobalObjects }) as Server
      const hop = attach(server, { chain: ['nginx'] })
      return bootServer(server, () => hop.drain())
    },
  })
  testAdapterContract(contract, test)
  test('only a parser that comes first is skipped', () => expect(new Set(contract.skipped.map(({ reason }) => reason))).toEqual(new Set([readsOnce])))
})
