import { describe, expect, test } from 'vitest'
import { cases, methods } from './cases.js'
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
    ['a POST that GOAWAY with an error covers', { case: 'goaway-error' }],
    ['a POST above the id of a GOAWAY with an error', { case: 'goaway-calm', serverSaw: 2, outcome: 'status 200' }],
    ['the same on Deno, which does not tell the id', { case: 'goaway-calm', runtime: 'deno', client: 'hopwise' }],
    ['a POST that a graceful end covers', { case: 'goaway-two-step', serverSaw: 1, outcome: 'status 200' }],
    ['the same with undici 6, which gives the session up', { case: 'goaway-two-step', client: 'hopwise-undici6' }],
    ['a POST above the id of a graceful end', { case: 'goaway-two-step-above', serverSaw: 2, outcome: 'status 200' }],
    ['a POST after an idle GOAWAY', { case: 'goaway-idle', serverSaw: 1, outcome: 'status 200' }],
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
    ['a POST that GOAWAY with an error covers, sent twice', { case: 'goaway-error', serverSaw: 2, outcome: 'status 200' }],
    ['a POST with a key that GOAWAY with an error covers, given up', { case: 'goaway-error', method: 'POST+key' }],
    ['a POST above the id of a GOAWAY with an error, given up', { case: 'goaway-calm' }],
    ['the same on Deno, sent twice', { case: 'goaway-calm', runtime: 'deno', client: 'hopwise', serverSaw: 2, outcome: 'status 200' }],
    ['a POST that a graceful end covers, sent twice', { case: 'goaway-two-step', serverSaw: 2, outcome: 'status 200' }],
    ['a POST that a graceful end covers, given up', { case: 'goaway-two-step' }],
    ['the same with undici 7, sent twice', { case: 'goaway-two-step', client: 'hopwise-undici7', serverSaw: 2, outcome: 'status 200' }],
    ['a GET that a graceful end covers, sent twice', { case: 'goaway-two-step', method: 'GET', serverSaw: 2, outcome: 'status 200' }],
    ['a POST above the id of a graceful end, with undici 7 sent twice', { case: 'goaway-two-step-above', client: 'hopwise-undici7', serverSaw: 2, outcome: 'status 200' }],
    ['a GET after an idle GOAWAY, sent twice', { case: 'goaway-idle', method: 'GET', serverSaw: 2, outcome: 'status 200' }],
    ['a POST after an idle GOAWAY, lost', { case: 'goaway-idle' }],
    ['a case that was never set up, of a peer too', { client: 'got', outcome: 'ERR SETUP' }],
  ])('wrong: %s', (_what, change) => {
    expect(unmetDemand({ ...row, ...change })).toMatch(/^\S+ on \S+: \S+ \S+: the server saw it \d times, /)
  })

  test('there is a demand on every request in every case', () => {
    const silent = cases.flatMap(({ name }) => methods.map((method) => ({ ...row, case: name, method, serverSaw: 9 }))).filter((one) => unmetDemand(one) === undefined)
    expect(silent).toEqual([])
  })
})
