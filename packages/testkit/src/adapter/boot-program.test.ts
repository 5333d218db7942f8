import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { memoryStore, type IdempotencyStore } from '@hopwise/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { bootProgram, type Program } from './boot-program.js'
import { adapterContract, type AdapterSetup } from './contract.js'
import { rawConnect, rawRequest, requestText } from './raw-client.js'

// The programs run what is built: a process of its own has no other way to this package.
const contractProgram: Program = { command: process.execPath, args: [fileURLToPath(new URL('testing/contract-program.mjs', import.meta.url))] }
/** A program in one line. */
const line = (code: string, over: Partial<Program> = {}): Program => ({ command: process.execPath, args: ['-e', code], ...over })
const listening = "require('node:http').createServer().listen(0, '127.0.0.1', function () { console.log(JSON.stringify({ port: this.address().port })) })"

const setup = (store: IdempotencyStore = memoryStore()): AdapterSetup => ({ routes: [], idempotency: { store }, requestId: {}, parserFirst: false })
const boot = (program: Program, given = setup()) => bootProgram(program)(given)

const noParser = 'it reads the body itself'
const noDrain = 'it does not say close'

describe('the contract in a process of its own', () => {
  const contract = adapterContract({
    name: 'by command',
    capabilities: { streams: true, pipelining: true, parserFirst: noParser, expectContinue: true, drain: noDrain },
    boot: bootProgram(contractProgram),
  })
  // Without a row in the table of adapters: what is looked at here is the way in which it is booted.
  test.each(contract.cases.map(({ name, run }) => [name, run] as const))('%s', (_name, run) => run())
  test('nothing else is skipped', () => expect(new Set(contract.skipped.map(({ reason }) => reason))).toEqual(new Set([noParser, noDrain])))
})

describe('bootProgram', () => {
  test.each<[string, Program, RegExp]>([
    ['cannot be started', { command: '/nowhere/at-all' }, /^\/nowhere\/at-all cannot be started: spawn \/nowhere\/at-all ENOENT; it printed nothing$/],
    ['ends', line("console.log('hello'); console.error('no such module'); process.exitCode = 3"), / ended with exit code 3 before it listened; it printed:\n[^]*no such module/],
    ['is ended', line("process.kill(process.pid, 'SIGKILL')"), / was ended by SIGKILL before it listened; it printed nothing$/],
    ['never listens', line("console.log('soon'); setInterval(() => {}, 1_000)", { listensWithin: 500 }), / has not said within 500 ms on which port it listens; it printed/],
    ['says a port that is none', line("console.log(JSON.stringify({ port: 'http' })); setInterval(() => {}, 1_000)"), / says that it listens on port "http"; it printed/],
    ['listens somewhere else', line("console.log('{\"port\":1}'); setInterval(() => {}, 1_000)"), / says that it listens on port 1, but 127\.0\.0\.1 cannot be reached there \(connect ECONNREFUSED [^)]*\); it printed/],
  ])('a program that %s is an error that says so, with what it printed', async (_how, program, message) => {
    await expect(boot(program)).rejects.toThrow(message)
  })

  test('a program that prints without end is kept in mind by its last words', async () => {
    const chatty = line("process.stdout.write('x'.repeat(100_000) + ' the last words', () => process.exit(1))")
    const error = await boot(chatty).catch((reason: unknown) => reason as Error)
    expect((error as Error).message).toMatch(/x the last words$/)
    expect((error as Error).message.length).toBeLessThan(8_192 + 300)
  })

  test('a program that ends while its case runs makes close fail', async () => {
    const server = await boot(line(`${listening}.on('connection', () => process.exit(7))`))
    const connection = await rawConnect(server.port)
    await connection.closed()
    await expect(server.close()).rejects.toThrow(/ended with exit code 7 before it was told to; it printed:\n\{"port":\d+\}/)
  })

  test('drain is SIGTERM, and over when the program has ended', async () => {
    const server = await boot(contractProgram)
    await server.drain?.()
    await expect(rawConnect(server.port)).rejects.toThrow('ECONNREFUSED')
    await server.close()
  })

  test('close ends a program that ignores SIGTERM', async () => {
    const server = await boot(line(`process.on('SIGTERM', () => {}); ${listening}`))
    await server.close()
    await expect(rawConnect(server.port)).rejects.toThrow('ECONNREFUSED')
  })

  test('a program gets its arguments, folder and environment', async () => {
    const code = "console.log(JSON.stringify({ port: [process.argv.at(-1), process.cwd(), process.env.MINE, process.env.PATH !== undefined] }))"
    const program = { command: process.execPath, args: ['-e', code, 'an argument'], cwd: '/', env: { MINE: 'given' } }
    await expect(boot(program)).rejects.toThrow('listens on port ["an argument","/","given",true]')
  })

  test('an option that does not exist, or has another type, is an error at start', () => {
    expect(() => bootProgram({ command: 'node', arguments: [] } as unknown as Program)).toThrow('bootProgram: unknown option "arguments"; allowed: command, args, env, cwd, listensWithin')
    expect(() => bootProgram({ args: [] } as unknown as Program)).toThrow('bootProgram: option "command"')
    expect(() => bootProgram({ command: 'node', args: 'server.mjs' as unknown as string[] })).toThrow('a list of texts')
    expect(() => bootProgram({ command: 'node', env: { PORT: 0 } as unknown as Record<string, string> })).toThrow('texts by their names')
    expect(() => bootProgram({ command: 'node', listensWithin: '1h' })).toThrow('from 10ms to 10m')
  })

  test('what another process cannot have is an error that names it', async () => {
    await expect(boot(contractProgram, { ...setup(), idempotency: { store: memoryStore(), onCrash: () => 'retry' } })).rejects.toThrow('onCrash is a function')
    await expect(boot(contractProgram, setup({ ...memoryStore(), transactional: { waitsAtMost: 1_000 } } as unknown as IdempotencyStore))).rejects.toThrow('a transactional store cannot be lent')
  })
})

describe('the store that is lent', () => {
  /** Serves as the program, to see what it was told. */
  async function lent(store: IdempotencyStore): Promise<{ readonly url: string; close(): Promise<void> }> {
    let told = ''
    const listener: Server = createServer((request, response) => {
      request.on('data', (text) => (told += String(text)))
      request.on('end', () => response.end())
    })
    listener.listen(0, '127.0.0.1')
    await once(listener, 'listening')
    onTestFinished(() => void listener.close())
    const { port } = listener.address() as { port: number }
    const code = `fetch('http://127.0.0.1:${port}', { method: 'POST', body: process.env.HOPWISE_CONTRACT }).then(() => ${listening})`
    const server = await boot(line(code), setup(store))
    return { url: (JSON.parse(told) as { storeUrl: string }).storeUrl, close: server.close }
  }

  test('is there for who knows its address, and as long as the case runs', async () => {
    const { url, close } = await lent(memoryStore())
    const { port, pathname } = new URL(url)
    const ask = (path: string) => rawRequest(Number(port), requestText('POST', path, {}, '[10]\n'))
    expect((await ask(`${pathname}/sweep`)).body.toString()).toBe('{"value":0}\n')
    expect((await ask('/sweep')).status).toBe(404)
    expect((await ask(`${pathname}/toString`)).status).toBe(404)
    expect((await rawRequest(Number(port), requestText('GET', `${pathname}/sweep`, {}))).status).toBe(404)
    await close()
    await expect(ask(`${pathname}/sweep`)).rejects.toThrow('ECONNREFUSED')
  })

  test('takes no call without end', async () => {
    const { url, close } = await lent(memoryStore())
    onTestFinished(close)
    const response = await rawRequest(Number(new URL(url).port), requestText('POST', `${new URL(url).pathname}/sweep`, {}, new Uint8Array(33 * 2 ** 20)))
    expect([response.status, response.field('connection')]).toEqual([413, 'close'])
  })
})
