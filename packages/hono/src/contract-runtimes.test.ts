import { adapterContract, installed, testAdapterContract, type AdapterCapabilities } from '@hopwise/testkit/adapter'
import { describe, expect, test } from 'vitest'
import { bootOn, bun, deno, type OtherRuntime } from './testing/runtimes.js'

const all: AdapterCapabilities = { streams: true, pipelining: true, parserFirst: true }
const closes = 'Bun.serve closes a connection on which a request comes while another one is being answered (oven-sh/bun#38128)'

const runtimes: [string, OtherRuntime, AdapterCapabilities, string[]][] = [
  ['bun', bun, { ...all, pipelining: closes }, [closes]],
  ['deno', deno, all, []],
]

describe.each(runtimes)('hono on %s', (name, runtime, capabilities, reasons) => {
  const contract = adapterContract({ name: '@hopwise/hono', framework: installed('hono', import.meta.url), runtime: installed(name, import.meta.url), capabilities, boot: (setup) => bootOn(runtime, setup) })
  testAdapterContract(contract, test)
  test('nothing else is skipped', () => expect(contract.skipped.map(({ reason }) => reason)).toEqual(reasons))
})
