import { describe, expect, test } from 'vitest'
import { cases, methods } from './cases.js'
import { unmetOfFigure } from './counted/demands.js'
import type { DeadSocketsFigure, LossesFigure, OutageFigure } from './counted/figures.js'
import { unmetDemand } from './demands.js'
import type { RetryRow } from './row.js'

const row: RetryRow = { client: 'hopwise-undici8', runtime: 'node24', case: 'reusefin', method: 'POST', serverSaw: 1, outcome: 'ERR UND_ERR_SOCKET', ms: 5 }

describe('rows', () => {
  test.each<[string, Partial<RetryRow>]>([
    ['a lost POST', {}],
    ['a repaired POST with a key', { method: 'POST+key', serverSaw: 2, outcome: 'status 200' }],
    ['a peer, whatever it does', { client: 'axios-retry', serverSaw: 4 }],
    ['a POST that was refused and sent again', { case: 'goaway-above', serverSaw: 2, outcome: 'status 200' }],
    ['a POST that was refused on Deno and sent again', { case: 'refused-stream', runtime: 'deno', client: 'hopwise', serverSaw: 2, outcome: 'status 200' }],
    ['a POST with undici 7, which does not tell the id', { case: 'goaway-above', client: 'hopwise-undici7' }],
    ['a GET on Deno, which does not tell that a response had begun', { case: 'midheaders', runtime: 'deno', client: 'hopwise', method: 'GET', serverSaw: 2, outcome: 'status 200' }],
  ])('right: %s', (_what, change) => {
    expect(unmetDemand({ ...row, ...change })).toBeUndefined()
  })

  test.each<[string, Partial<RetryRow>]>([
    ['a POST sent twice', { serverSaw: 2, outcome: 'status 200' }],
    ['a POST sent twice where the first error is handed over', { serverSaw: 2 }],
    ['a POST with a key given up', { method: 'POST+key' }],
    ['a GET sent three times', { method: 'GET', serverSaw: 3, outcome: 'status 200' }],
    ['a call that the lab gave up', { outcome: 'ERR TIMEOUT15' }],
    ['a response that had begun, asked for again', { case: 'midheaders', method: 'GET', serverSaw: 2, outcome: 'status 200' }],
    ['a Retry-After that was not waited for', { case: 's503', method: 'GET', serverSaw: 2, outcome: 'status 200', ms: 999 }],
    ['a 500 tried again', { case: 's500', method: 'GET', serverSaw: 2, outcome: 'status 200' }],
    ['a POST that was refused and given up', { case: 'refused-stream' }],
    ['a POST that was refused on Deno and given up', { case: 'refused-stream', runtime: 'deno', client: 'hopwise' }],
    ['a POST sent twice on Deno', { runtime: 'deno', client: 'hopwise', serverSaw: 2, outcome: 'status 200' }],
    ['a POST sent twice on Bun, after a response had begun', { case: 'midheaders', runtime: 'bun', client: 'hopwise', serverSaw: 2, outcome: 'status 200' }],
    ['a case that was never set up, of a peer too', { client: 'got', outcome: 'ERR SETUP' }],
  ])('wrong: %s', (_what, change) => {
    expect(unmetDemand({ ...row, ...change })).toMatch(/^\S+ on \S+: \S+ \S+: the server saw it \d times, /)
  })

  test('there is a demand on every request in every case', () => {
    const silent = cases.flatMap(({ name }) => methods.map((method) => ({ ...row, case: name, method, serverSaw: 9 }))).filter((one) => unmetDemand(one) === undefined)
    expect(silent).toEqual([])
  })
})

const losses: LossesFigure = {
  client: 'hopwise', runtime: 'node24', figure: 'losses', losses: 30, post_lost: 10, post_doubled: 0, keyed_lost: 10, keyed_recovered: 10, keyed_sent_twice: 10, keyed_sent_more: 0,
  get_lost: 10, get_recovered: 10, get_repair_p99_ms: 6, plain_get_p99_ms: 2, repair_to_plain: 3, plain_failed: 0,
}
const dead: DeadSocketsFigure = { client: 'hopwise', runtime: 'node24', figure: 'dead-sockets', sockets: 10, method: 'GET', sends: 2, outcome: 'status 200', ms: 20 }
const outage: OutageFigure = { client: 'hopwise', runtime: 'node24', figure: 'outage', outage: 'reset', calls: 1_000, sends: 1_010, sends_a_call: 1.01, good: 0 }

describe('figures', () => {
  test.each([
    losses, dead, outage, { ...losses, get_repair_p99_ms: 124, plain_get_p99_ms: 20 }, { ...losses, runtime: 'bun' as const, keyed_recovered: 4, keyed_sent_twice: 4 }, { ...losses, runtime: 'deno' as const, get_repair_p99_ms: 126 },
    { ...dead, runtime: 'deno' as const, sends: 3 }, { ...dead, runtime: 'deno' as const, method: 'POST+key', sends: 3 }, { ...dead, runtime: 'bun' as const, sends: 11 }, { ...dead, runtime: 'bun' as const, method: 'POST+key' },
  ])('right: %j', (figure) => {
    expect(unmetOfFigure(figure, 30)).toEqual([])
  })

  test.each([
    { ...losses, post_doubled: 1 },
    { ...losses, runtime: 'deno' as const, post_doubled: 1 },
    { ...outage, runtime: 'bun' as const, sends: 2_000 },
    { ...losses, runtime: 'bun' as const, keyed_recovered: 4, keyed_sent_twice: 5 },
    { ...losses, runtime: 'bun' as const, keyed_sent_more: 1 },
    { ...losses, runtime: 'bun' as const, get_recovered: 9 },
    { ...losses, runtime: 'deno' as const, keyed_recovered: 9, keyed_sent_twice: 9 },
    { ...dead, runtime: 'deno' as const, sends: 6 },
    { ...dead, runtime: 'deno' as const, sends: 3, outcome: 'ERR TypeError' },
    { ...dead, runtime: 'bun' as const, method: 'POST+key', sends: 3 },
    { ...dead, runtime: 'bun' as const, sends: 11, ms: 250 },
    { ...losses, keyed_recovered: 9 },
    { ...losses, keyed_sent_twice: 9 },
    { ...losses, keyed_sent_more: 1 },
    { ...losses, get_recovered: 9 },
    { ...losses, get_repair_p99_ms: 25 },
    { ...losses, get_repair_p99_ms: 126, plain_get_p99_ms: 20 },
    { ...losses, plain_failed: 1 },
    { ...losses, losses: 29 },
    { ...dead, sends: 3 },
    { ...dead, outcome: 'ERR ECONNRESET' },
    { ...dead, ms: 250 },
    { ...outage, sends: 1_051 },
    // Nothing was counted.
    { ...outage, sends: 0 },
    { ...outage, good: 1 },
  ])('wrong: %j', (figure) => {
    expect(unmetOfFigure(figure, 30)).toHaveLength(1)
  })

  test('milliseconds do not count where they are not to', () => {
    expect(unmetOfFigure({ ...losses, get_repair_p99_ms: 9_999 }, 30, false)).toEqual([])
    expect(unmetOfFigure({ ...losses, post_doubled: 1 }, 30, false)).toHaveLength(1)
  })
})
