import { describe, expect, test } from 'vitest'
import { duration, type DurationInput } from '../duration.js'
import { defineChain, outlasts, type ChainInput } from './chain.js'
import { derive, type ServerOverrides } from './derive.js'
import { customHop, type IdleLimitInput } from './hop.js'
import { nginx, nodeServer } from './presets.js'

const margin = duration('3s')
const settings = (chain: ChainInput, overrides?: ServerOverrides) => derive(defineChain(chain), margin, overrides)
const reusing = (idle: IdleLimitInput) => customHop({ name: 'front', upstream: { idle } })

describe('keepAliveTimeout', () => {
  test.each<[string, ChainInput, DurationInput]>([
    ['60 s of an ALB and 3 s of margin make 65 s', ['alb'], '65s'],
    ['60 s of nginx too', ['nginx'], '65s'],
    ['only the hop in front counts', [reusing('10m'), 'nginx'], '65s'],
    ['a hop that never lets go asks for an hour', ['haproxy'], '1h'],
    ['nobody in front: as Node from 27', [], '65s'],
    ['a hop that does not reuse connections', [nginx({ upstream: { idle: 'none' } })], '65s'],
    ['a hop of unknown habits', [reusing('unknown')], '65s'],
    ['a TCP hop is not the one that reuses', ['nginx', customHop({ name: 'nlb', layer: 'tcp', downstream: { idle: '350s' } })], '65s'],
    ['a sum on a step of 5 s is not enough: 62 s + 3 s make 70 s', [reusing('62s')], '70s'],
    ['61.999 s + 3 s make 65 s', [reusing(61_999)], '65s'],
    ['a short reuse', [reusing('0ms')], '5s'],
    ['what the server in the chain says of itself', ['alb', nodeServer({ downstream: { idle: '90s' } })], '90s'],
    ['a server that was named without a figure of its own', ['alb', 'node'], '5s'],
    ['a server whose figure is not known', ['alb', nodeServer({ downstream: { idle: 'unknown' } })], '65s'],
  ])('%s', (_what, chain, expected) => {
    expect(settings(chain).keepAliveTimeout).toBe(duration(expected))
  })

  test('always outlasts what is reused plus the margin, by at most 5 s', () => {
    for (let reused = 0; reused < 400_000; reused += 137) {
      for (const by of [0, 1, 3_000, 60_000]) {
        const { keepAliveTimeout } = derive([reusing(reused)], duration(by))
        if (!outlasts(keepAliveTimeout, duration(reused), by) || keepAliveTimeout > reused + by + 5_000) {
          expect.fail(`${reused} ms reused with a margin of ${by} ms gives ${keepAliveTimeout} ms`)
        }
      }
    }
  })
})

describe('the whole of the settings', () => {
  test('behind an ALB', () => {
    expect(settings(['alb'])).toEqual({ keepAliveTimeout: 65_000, keepAliveTimeoutBuffer: 1_000, headersTimeout: 60_000, requestTimeout: 300_000 })
  })

  test.each<[string, ChainInput, number]>([
    ['an hour', ['haproxy'], 3_600_000],
    ['95 s', [reusing('90s')], 95_000],
    ['10 s', [reusing('5s')], 10_000],
  ])('headersTimeout begins with the first byte, so it is a minute where idle connections are kept for %s', (_what, chain, keepAliveTimeout) => {
    expect(settings(chain)).toEqual({ keepAliveTimeout, keepAliveTimeoutBuffer: 1_000, headersTimeout: 60_000, requestTimeout: 300_000 })
  })

  test('what is said is taken', () => {
    const said = {
      keepAliveTimeout: '7s',
      keepAliveTimeoutBuffer: '2s',
      headersTimeout: '8s',
      requestTimeout: '9s',
      maxConnections: 10_000,
      maxConnectionAge: '1h',
      maxRequestsPerConnection: 1_000,
    } as const
    expect(settings(['alb'], said)).toEqual({
      keepAliveTimeout: 7_000,
      keepAliveTimeoutBuffer: 2_000,
      headersTimeout: 8_000,
      requestTimeout: 9_000,
      maxConnections: 10_000,
      maxConnectionAge: 3_600_000,
      maxRequestsPerConnection: 1_000,
    })
  })

  test.each<[ServerOverrides]>([
    [{ maxConnections: 1 }],
    [{ maxConnections: 1_000_000 }],
    [{ maxConnectionAge: 1_000 }],
    [{ maxConnectionAge: 604_800_000 }],
    [{ maxRequestsPerConnection: 1 }],
    [{ maxRequestsPerConnection: 1_000_000_000 }],
  ])('%j is there alone; a limit that nobody asked for is not there at all', (limit) => {
    expect(settings(['alb'], limit)).toStrictEqual({ keepAliveTimeout: 65_000, keepAliveTimeoutBuffer: 1_000, headersTimeout: 60_000, requestTimeout: 300_000, ...limit })
    expect(Object.keys(settings(['alb']))).toEqual(['keepAliveTimeout', 'keepAliveTimeoutBuffer', 'headersTimeout', 'requestTimeout'])
  })

  test('a short requestTimeout bounds the headersTimeout that nobody asked for', () => {
    expect(settings(['alb'], { requestTimeout: '30s' })).toMatchObject({ headersTimeout: 30_000, requestTimeout: 30_000 })
    expect(settings(['alb'], { requestTimeout: '60s' })).toMatchObject({ headersTimeout: 60_000, requestTimeout: 60_000 })
    expect(settings(['alb'], { requestTimeout: '10m' })).toMatchObject({ headersTimeout: 60_000, requestTimeout: 600_000 })
  })

  test('a long headersTimeout lengthens the requestTimeout that nobody asked for', () => {
    expect(settings(['alb'], { headersTimeout: '400s' })).toMatchObject({ headersTimeout: 400_000, requestTimeout: 400_000 })
    expect(settings(['alb'], { headersTimeout: '300s' })).toMatchObject({ headersTimeout: 300_000, requestTimeout: 300_000 })
    expect(settings(['alb'], { headersTimeout: '1s' })).toMatchObject({ headersTimeout: 1_000, requestTimeout: 300_000 })
  })

  test('headersTimeout above requestTimeout is refused: assigned to a server, Node would swap the two', () => {
    expect(() => settings(['alb'], { headersTimeout: '31s', requestTimeout: '30s' })).toThrow(
      expect.objectContaining({
        code: 'option-invalid',
        message: 'server: option "headersTimeout" is 31s; allowed: at most requestTimeout (30s), since the header is part of the request',
      }),
    )
    expect(settings(['alb'], { headersTimeout: '30s', requestTimeout: '30s' }).headersTimeout).toBe(30_000)
  })

  test.each<[ServerOverrides]>([
    [{ keepAliveTimeout: '999ms' }],
    [{ keepAliveTimeout: '5h' }],
    [{ keepAliveTimeoutBuffer: '61s' }],
    [{ headersTimeout: 0 }],
    [{ requestTimeout: '25h' }],
    [{ requestTimeout: '30' as DurationInput }],
    [{ maxConnections: 0 }],
    [{ maxConnections: 1_000_001 }],
    [{ maxConnections: 1.5 }],
    [{ maxConnections: Infinity }],
    [{ maxConnectionAge: '999ms' }],
    [{ maxConnectionAge: '8d' }],
    [{ maxConnectionAge: Infinity }],
    [{ maxRequestsPerConnection: 0 }],
    [{ maxRequestsPerConnection: 1_000_000_001 }],
    [{ maxRequestsPerConnection: Number.NaN }],
  ])('refuses %j', (overrides) => {
    const [name = ''] = Object.keys(overrides)
    expect(() => settings(['alb'], overrides)).toThrow(
      expect.objectContaining({ code: 'option-invalid', message: expect.stringContaining(`server: option "${name}" is `) as string }),
    )
  })
})
