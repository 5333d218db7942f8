import { once } from 'node:events'
import { connect, type ClientHttp2Session } from 'node:http2'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { selfSigned, type Certificate } from '../../self-signed.js'
import { goaways, type GoawayFault } from './goaway.js'
import { openHttp2Site } from './http2-site.js'

let tls: Certificate
const closing: (() => unknown)[] = []
beforeAll(async () => {
  tls = await selfSigned()
})
afterAll(() => Promise.all(closing.map((close) => close())))

/** A site, a session to it that has carried one stream (id 1), and the GOAWAYs that came. */
async function open(fault: GoawayFault | 'none') {
  const site = await openHttp2Site({ protocol: 'h2', faults: { one: fault } }, tls)
  const session = connect(`https://127.0.0.1:${site.port}`, { rejectUnauthorized: false })
  session.on('error', () => {})
  const told: [code: number, last: number][] = []
  session.on('goaway', (code, last) => told.push([code, last]))
  closing.push(() => session.destroy(), () => site.close())
  expect(await ask(session, '/warm/1')).toBe(200)
  return { site, session, told }
}

/** The status of the answer, or `'lost'`. */
async function ask(session: ClientHttp2Session, path: string): Promise<number | 'lost'> {
  const stream = session.request({ ':path': path, ':method': 'POST' })
  let status: number | 'lost' = 'lost'
  stream.on('response', (fields) => (status = fields[':status'] ?? 'lost')).on('error', () => {})
  stream.resume().end('tea')
  await once(stream, 'close').catch(() => {})
  return status
}

const none = 2 ** 31 - 1

test.each<[GoawayFault, [number, number][], number | 'lost']>([
  ['goaway-above', [[0, 1]], 'lost'],
  ['goaway-at', [[0, 3]], 'lost'],
  ['goaway-error', [[2, 3]], 'lost'],
  ['goaway-calm', [[11, 1]], 'lost'],
  ['goaway-two-step', [[0, none], [0, 3]], 200],
  ['goaway-two-step-above', [[0, none], [0, 1]], 'lost'],
])('%s: what the client is told, and what becomes of its stream', async (fault, goaway, outcome) => {
  const { session, told } = await open(fault)
  expect(await ask(session, '/one/1')).toBe(outcome)
  expect(told.slice(0, goaway.length)).toEqual(goaway)
})

test('there is a test of each', () => {
  expect(Object.keys(goaways)).toHaveLength(6)
})

test('an idle session is ended by GOAWAY, which the client has when that is said', async () => {
  const { site, session, told } = await open('none')
  await site.endIdle()
  expect([told, session.closed]).toEqual([[[0, 1]], true])
})
