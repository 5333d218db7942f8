import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { memoryStore } from '@hopwise/core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { bootUrl } from './boot-url.js'
import { adapterContract, type AdapterSetup, type BootedAdapter } from './contract.js'

const noParser = 'it reads the body itself'
const noDrain = 'it goes on'

describe('the contract on one server that runs already', () => {
  let program: ChildProcessByStdio<Writable, Readable, null>
  let boot: (setup: AdapterSetup) => Promise<BootedAdapter>
  beforeAll(async () => {
    program = spawn(process.execPath, [fileURLToPath(new URL('testing/contract-program.mjs', import.meta.url)), '--by-url'], { stdio: ['pipe', 'pipe', 'inherit'] })
    let said = ''
    for await (const text of program.stdout) {
      said += String(text)
      if (said.includes('}\n')) break
    }
    boot = bootUrl(`http://127.0.0.1:${(JSON.parse(said.slice(said.indexOf('{'))) as { port: number }).port}`)
  })
  afterAll(async () => {
    const exited = once(program, 'exit')
    program.kill('SIGKILL')
    await exited
  })

  const contract = adapterContract({
    name: 'by URL',
    capabilities: { streams: true, pipelining: true, parserFirst: noParser, expectContinue: true, drain: noDrain },
    boot: (setup) => boot(setup),
  })
  // Without a row in the table of adapters: what is looked at here is the way in which it is booted.
  test.each(contract.cases.map(({ name, run }) => [name, run] as const))('%s', (_name, run) => run())
  test('nothing else is skipped', () => expect(new Set(contract.skipped.map(({ reason }) => reason))).toEqual(new Set([noParser, noDrain])))
})

describe('bootUrl', () => {
  const setup: AdapterSetup = { routes: [], idempotency: { store: memoryStore() }, requestId: {}, parserFirst: false }
  async function serve(listener: RequestListener): Promise<string> {
    const server: Server = createServer(listener).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => {
      server.close()
      server.closeAllConnections()
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  test('one case at a time', async () => {
    const url = await serve((_request, response) => void response.writeHead(204).end())
    const boot = bootUrl(url)
    const first = await boot(setup)
    await expect(boot(setup)).rejects.toThrow(`a case before this one still runs on ${url}, which serves one at a time`)
    await first.close()
    await (await boot(setup)).close()
  })

  test('a server that knows no setups is an error with its answer, and the next case is tried', async () => {
    const boot = bootUrl(await serve((_request, response) => void response.writeHead(404).end('no such route')))
    await expect(boot(setup)).rejects.toThrow(/^http:\/\/127\.0\.0\.1:\d+ answers a setup with 404 instead of 204: no such route$/)
    await expect(boot(setup)).rejects.toThrow('no such route')
  })

  test('a server that does not answer is waited for 20 s', async () => {
    let asked: () => void = () => {}
    const request = new Promise<void>((resolve) => {
      asked = resolve
    })
    const url = await serve(() => asked())
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const booted = bootUrl(url)(setup).catch((error: unknown) => error as Error)
    await request
    vi.advanceTimersByTime(19_999)
    expect(await Promise.race([booted, new Promise((resolve) => setImmediate(resolve, 'it waits'))])).toBe('it waits')
    vi.advanceTimersByTime(1)
    expect(((await booted) as Error).message).toBe(`${url} has not answered a setup within 20000 ms`)
  })

  test('a server that hangs up, or is not there, is an error', async () => {
    const boot = bootUrl(await serve((request) => void request.socket.destroy()))
    await expect(boot(setup)).rejects.toThrow(/^http:\/\/127\.0\.0\.1:\d+ the connection ended/)
    await expect(bootUrl('http://127.0.0.1:1')(setup)).rejects.toThrow('http://127.0.0.1:1 connect ECONNREFUSED 127.0.0.1:1')
  })

  test.each(['127.0.0.1:8080', 'http://127.0.0.1', 'https://127.0.0.1:8080', 'http://example.com:8080', 'http://127.0.0.1:8080/app', 'http://127.0.0.1:8080/?a=1'])('%s is an error at start', (url) => {
    expect(() => bootUrl(url)).toThrow(`bootUrl: "${url}" is not http://127.0.0.1:PORT`)
  })
})
