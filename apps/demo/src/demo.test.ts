import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { ActResult } from './snapshot.js'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const wholeDemoMs = 90_000

/** Runs the built demo with its temporary files in a folder of its own. */
async function demo(args: readonly string[], options: { readonly interruptAt?: string } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'hopwise-demo-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const child = spawn(process.execPath, [main, ...args], { env: { ...process.env, TMPDIR: folder } })
  onTestFinished(() => void child.kill('SIGKILL'))
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
    if (options.interruptAt !== undefined && stderr.includes(options.interruptAt)) child.kill('SIGINT')
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr, left: await readdir(folder) }
}

interface DemoResult {
  readonly proxy: string
  readonly acts: readonly ActResult[]
  readonly ok: boolean
}

describe('the whole of it', () => {
  test.each([
    ['nginx', /^nginx \d+\.\d+/],
    ['fallback', /^a small proxy on undici/],
  ])('behind %s: plain fails in each act, hopwise loses and doubles nothing', async (proxy, name) => {
    const { code, stdout, stderr, left } = await demo(['--once', '--json', '--proxy', proxy])
    const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as DemoResult
    expect(result.acts.map(({ act }) => act)).toEqual(['idle-race', 'deploy', 'lost-answers'])
    expect(result.proxy).toMatch(name)
    const [idle, deploy, lost] = result.acts
    expect(idle?.hopwise, stderr).toEqual({ requests: 300, failed: 0 })
    expect(idle?.plain['failed']).toBeGreaterThan(0)
    expect(deploy?.hopwise, stderr).toMatchObject({ failed: 0, restarts: 4, killed: 0 })
    expect(deploy?.plain['failed']).toBeGreaterThan(0)
    expect(lost?.hopwise).toEqual({ attempts: 250, orders: 100, duplicates: 0, failed: 0 })
    expect(lost?.plain).toEqual({ attempts: 250, orders: 250, duplicates: 150, failed: 0 })
    expect([code, result.ok], stderr).toEqual([0, true])
    expect(left).toEqual([])
  }, wholeDemoMs)
})

describe('what is in the way is said in one sentence, and the demo ends with 1', () => {
  test.each([
    [['--onse'], /^Unknown option '--onse'/],
    [['--port', '99999'], /^--port is "99999"; allowed: 0 to 65535/],
    [['--proxy', 'apache'], /^--proxy is "apache"; allowed: nginx, fallback/],
  ])('%j', async (args, message) => {
    const { code, stderr } = await demo(args)
    expect(code).toBe(1)
    expect(stderr).toMatch(message)
    expect(stderr).toContain('npm run demo -- ')
  })

  test('a port in use', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    onTestFinished(() => void taken.close())
    const { port } = taken.address() as AddressInfo
    const { code, stderr, left } = await demo(['--port', String(port)])
    expect([code, stderr, left]).toEqual([1, `port ${port} is in use; choose another with --port\n`, []])
  })

  test('a proxy that is not there', async () => {
    const { code, stderr, left } = await demo(['--once', '--nginx', '/nowhere/nginx'])
    expect([code, stderr, left]).toEqual([1, '/nowhere/nginx is not an nginx that runs\n', []])
  })

  test('a database that cannot be written', async () => {
    const { code, stderr } = await demo(['--once', '--data', main])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^the folder .*main\.js\/plain cannot be made: .*\n$/)
    expect(existsSync(main)).toBe(true)
  })
})

test('Ctrl-C in the middle ends everything that was started, and leaves no file', async () => {
  const { code, left } = await demo(['--once'], { interruptAt: 'act: idle-race' })
  expect([code, left]).toEqual([130, []])
})
