import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { startFaultServer, type Fault, type FaultServer, type SeenRequest } from './testing/fault-server.js'
import { readmeExamples, readmePath, runExample, type Example } from './testing/readme-examples.js'

const modules: Readonly<Record<string, () => Promise<unknown>>> = {
  '@hopwise/client': () => import('./index.js'),
  '@hopwise/client/undici': () => import('./undici/index.js'),
  '@hopwise/client/node': () => import('./node/index.js'),
  undici: () => import('undici7'),
  axios: () => import('axios'),
  got: () => import('got'),
  ky: () => import('ky'),
}
const load = (name: string): Promise<unknown> => modules[name]?.() ?? import(/* @vite-ignore */ name)

const examples = readmeExamples()
const example = (...imports: string[]): Example => {
  const found = examples.filter((one) => one.imports.join() === imports.join())
  if (found.length !== 1) throw new Error(`${found.length} examples import ${imports.join(', ')}`)
  return found[0] as Example
}

const made = { status: 201, fields: { 'content-type': 'application/json' }, body: '{"order":1}' }
const servers: FaultServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})
async function start(decide: (request: SeenRequest) => Fault): Promise<FaultServer> {
  const server = await startFaultServer(decide)
  servers.push(server)
  return server
}
/** Reads the first request for each target, and closes its connection. */
const firstIsLost = ({ before }: SeenRequest): Fault => (before === 0 ? 'fin' : made)

/** The examples that POST an order. got and ky are for Node 22 and later, by their own word. */
const orders: Readonly<Record<string, { readonly imports: readonly string[]; readonly prints: unknown[] }>> = {
  createClient: { imports: ['@hopwise/client'], prints: [201, { order: 1 }] },
  undici: { imports: ['undici', '@hopwise/client/undici'], prints: [201, made.body] },
  axios: { imports: ['axios', '@hopwise/client'], prints: [201] },
  got: { imports: ['node:crypto', 'got', '@hopwise/client/node'], prints: [201] },
  ky: { imports: ['ky', '@hopwise/client'], prints: [201] },
}
const runsHere = (name: string): boolean => !['got', 'ky'].includes(name) || Number(process.versions.node.split('.')[0]) >= 22
const ordersHere = Object.entries(orders).filter(([name]) => runsHere(name))

describe.each(ordersHere)('the example with %s', (_name, { imports, prints }) => {
  test('an order whose connection dies comes through, with one key and one request id', async () => {
    const server = await start(firstIsLost)
    const { printed } = await runExample(example(...imports), { 'https://api.example.com': server.origin }, load)
    expect(printed).toEqual([prints])
    expect(server.seen.map(({ method, target, body }) => `${method} ${target} ${body.toString()}`)).toEqual(Array(2).fill('POST /orders {"item":"tea"}'))
    for (const name of ['idempotency-key', 'x-request-id']) {
      const [first, second] = server.seen.map(({ fields }) => fields[name])
      expect(first).toMatch(/^[0-9a-f-]{36}$/)
      expect(second).toBe(first)
    }
  })
})

describe.each(ordersHere.filter(([name]) => ['axios', 'got', 'ky'].includes(name)))('the recipe for %s', (_name, { imports }) => {
  test('makes no key for an origin that is not trusted, and sends a POST there once', async () => {
    const trusted = await start(() => made)
    const other = await start(firstIsLost)
    const { api } = await runExample(example(...imports), { 'https://api.example.com': trusted.origin }, load)
    await expect((api as { post(url: string): Promise<unknown> }).post(`${other.origin}/orders`)).rejects.toThrow()
    expect(other.seen.map(({ fields }) => fields['idempotency-key'])).toEqual([undefined])
  })

  test('sends a GET again', async () => {
    const trusted = await start(() => made)
    const other = await start(firstIsLost)
    const { api } = await runExample(example(...imports), { 'https://api.example.com': trusted.origin }, load)
    expect(await (api as { get(url: string): Promise<unknown> }).get(`${other.origin}/orders`)).toMatchObject({})
    expect(other.count('/orders')).toBe(2)
  })
})

test('the example with getBody sends the whole file, twice', async () => {
  const server = await start(firstIsLost)
  const path = fileURLToPath(readmePath)
  const { printed } = await runExample(example('node:fs', '@hopwise/client'), { 'https://files.example.com': server.origin, 'report.csv': path }, load)
  expect(printed).toEqual([[201]])
  expect(server.seen.map(({ body }) => body.toString())).toEqual(Array(2).fill(readFileSync(path, 'utf8')))
})

test('the example with agents finds what is wrong with the one, and nothing with the other', async () => {
  const { printed } = await runExample(example('node:https', '@hopwise/client/node'), {}, load)
  expect(printed.length).toBeGreaterThan(1)
  expect(printed.slice(0, -1).flat().every((text) => typeof text === 'string' && text !== '')).toBe(true)
  expect(printed.at(-1)).toEqual([[]])
})

test('there is no other example', () => {
  const run = [...Object.values(orders).map(({ imports }) => imports.join()), 'node:fs,@hopwise/client', 'node:https,@hopwise/client/node']
  expect(examples.map(({ imports }) => imports.join()).toSorted()).toEqual(run.toSorted())
})
