import { adapterContract, bootUrl, installed, testAdapterContract, type AdapterCapabilities, type AdapterSetup, type BootedAdapter } from '@hopwise/testkit/adapter'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startWorker, type RunningWorker } from './testing/workerd.js'

const noServer = 'a worker has no server of its own to stop'
const all: AdapterCapabilities = { streams: true, pipelining: true, parserFirst: true, expectContinue: true, drain: noServer }
const readsOnce = 'a Request keeps no copy of a body that was read'

describe.each<[string, string, string, AdapterCapabilities, string[]]>([
  ['@hopwise/hono', installed('hono', import.meta.url), 'hono-worker.mjs', all, [noServer]],
  ['@hopwise/core/fetch', 'fetch', 'fetch-worker.mjs', { ...all, parserFirst: readsOnce }, [readsOnce, noServer]],
])('%s on workerd, by its own HTTP server', (name, framework, entry, capabilities, reasons) => {
  let worker: RunningWorker
  let boot: (setup: AdapterSetup) => Promise<BootedAdapter>
  beforeAll(async () => {
    worker = await startWorker(entry)
    boot = bootUrl(worker.url)
  })
  afterAll(() => worker.end())

  const contract = adapterContract({ name, framework, runtime: installed('workerd', import.meta.url), capabilities, boot: (setup) => boot(setup) })
  testAdapterContract(contract, test)
  test('nothing else is skipped', () => expect([...new Set(contract.skipped.map(({ reason }) => reason))]).toEqual(reasons))
})
