import { adapterContract, bootProgram, installed, testAdapterContract, type AdapterCapabilities } from '@hopwise/testkit/adapter'
import { describe, expect, test } from 'vitest'
import { bun, contractServer, deno, type OtherRuntime } from './testing/runtimes.js'

const noClose = 'its stop closes idle connections at once; what it does is in drain-runtimes.test.ts'
const all: AdapterCapabilities = { streams: true, pipelining: true, parserFirst: true, expectContinue: true, drain: noClose }
const closes = 'Bun.serve closes a connection on which a request comes while another one is being answered (oven-sh/bun#38128)'

const runtimes: [string, OtherRuntime, AdapterCapabilities, string[]][] = [
  ['bun', bun, { ...all, pipelining: closes }, [closes, noClose]],
  ['deno', deno, all, [noClose]],
]

describe.each(runtimes)('hono on %s', (name, runtime, capabilities, reasons) => {
  const contract = adapterContract({
    name: '@hopwise/hono',
    framework: installed('hono', import.meta.url),
    runtime: installed(name, import.meta.url),
    capabilities,
    boot: bootProgram(contractServer(runtime)),
  })
  testAdapterContract(contract, test)
  test('nothing else is skipped', () => expect(contract.skipped.map(({ reason }) => reason)).toEqual(reasons))
})
