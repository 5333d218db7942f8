import { describe, expect, test } from 'vitest'
import { duration, type DurationInput } from '../duration.js'
import { audit, keepAtLeast, type Finding } from './audit.js'
import { defineChain, type ChainInput } from './chain.js'
import { customHop, type HopOptions, type IdleLimitInput, type Replay } from './hop.js'
import { alb, haproxy, nginx, nodeServer } from './presets.js'

const margin = duration('3s')
const findings = (...chain: ChainInput) => audit(defineChain(chain), margin)
const brief = (found: readonly Finding[]) => found.map(({ rule, severity, hops }) => [rule, severity, ...hops])

const from = (idle: IdleLimitInput, options: Partial<HopOptions> = {}) => customHop({ name: 'from', upstream: { idle }, replay: 'none', ...options })
const to = (idle: IdleLimitInput) => customHop({ name: 'to', downstream: { idle } })
const flow = (idle: IdleLimitInput, name = 'flow') => customHop({ name, layer: 'tcp', downstream: { idle } })
const node = (idle: DurationInput) => nodeServer({ downstream: { idle } })

describe('idle-inversion', () => {
  test('of an ALB in front of Node as it is', () => {
    expect(findings('alb', 'node')).toEqual([
      {
        rule: 'idle-inversion',
        severity: 'error',
        hops: ['alb', 'node'],
        what: 'alb reuses idle connections for 60s, node keeps them for 5s (a margin of 3s is asked for)',
        why: 'node closes the connection at the moment in which alb may send on it; the request is lost and the client gets a 502 or a closed connection.',
        fix: 'node: server.keepAliveTimeout = 65000, or alb: aws elbv2 modify-load-balancer-attributes --load-balancer-arn <arn> --attributes Key=idle_timeout.timeout_seconds,Value=1',
      },
    ])
  })

  test.each<[DurationInput, DurationInput, number]>([
    ['60s', '65s', 0],
    ['60s', 63_001, 0],
    ['60s', '63s', 1],
    ['60s', '62s', 1],
    ['60s', '60s', 1],
    ['60s', '1s', 1],
    ['0ms', '3s', 1],
    ['0ms', 3_001, 0],
  ])('%s reused and %s kept: %i, since the margin itself is not enough', (reused, kept, count) => {
    expect(brief(findings(from(reused), to(kept)))).toEqual(Array.from({ length: count }, () => ['idle-inversion', 'error', 'from', 'to']))
  })

  test('with no margin, equal is still too short', () => {
    expect(audit([from('60s'), to('60s')], duration(0))).toHaveLength(1)
    expect(audit([from('60s'), to(60_001)], duration(0))).toEqual([])
  })

  test.each<[Replay, string, string]>([
    ['none', 'error', 'the client gets a 502 or a closed connection'],
    ['idempotent-methods', 'error', 'GET is tried again, POST is lost as a 502'],
    ['fresh-for-unsafe', 'note', 'they are tried again'],
    ['unknown', 'error', 'is not documented'],
  ])('of a hop that replays %s it is of severity %s', (replay, severity, why) => {
    const [finding, ...more] = findings(from('60s', { replay }), to('5s'))
    expect(finding).toMatchObject({ rule: 'idle-inversion', severity })
    expect(finding?.why).toContain(why)
    expect(more).toEqual([])
  })

  test('of a hop that repeats everything it is a note, and the repeating an error of its own', () => {
    expect(brief(findings(from('60s', { replay: 'everything' }), to('5s')))).toEqual([
      ['idle-inversion', 'note', 'from', 'to'],
      ['replays-unsafe', 'error', 'from', 'to'],
    ])
  })

  test('is looked for on each edge', () => {
    expect(brief(findings(nginx({ name: 'edge' }), alb(), nginx(), 'node'))).toEqual([
      ['idle-inversion', 'error', 'edge', 'alb'],
      ['idle-inversion', 'error', 'nginx', 'node'],
    ])
  })

  test('where no hop has a setting, the fix says it in words', () => {
    expect(findings(from('60s'), to('5s'))[0]?.fix).toBe('Let to keep idle connections longer than from reuses them.')
  })
})

describe('idle-unlimited', () => {
  test.each<[IdleLimitInput, string[][]]>([
    ['5s', [['idle-unlimited', 'warning', 'haproxy', 'to']]],
    [3_599_999, [['idle-unlimited', 'warning', 'haproxy', 'to']]],
    ['1h', [['idle-unlimited', 'note', 'haproxy', 'to']]],
    ['unlimited', []],
    ['none', []],
  ])('of HAProxy and a server that keeps %s', (kept, expected) => {
    expect(brief(findings('haproxy', to(kept)))).toEqual(expected)
  })

  test('says that HAProxy has no setting, and gives nginx the one that it has', () => {
    expect(findings('haproxy', to('60s'))[0]?.fix).toBe('haproxy has no setting for it: let to keep idle connections for as long as it can.')
    expect(findings(nginx({ upstream: { idle: 'unlimited' } }), to('60s'))[0]?.fix).toBe(
      'Give nginx a limit: upstream <name> { keepalive_timeout 56s; }',
    )
    expect(findings(nginx({ upstream: { idle: 'unlimited' } }), to(60_900))[0]?.fix).toContain('keepalive_timeout 56s;')
  })
})

describe('idle-unknown', () => {
  test('asks for the figure of the side that lacks it', () => {
    expect(findings('nginx', 'haproxy', to('2h'))[0]).toMatchObject({
      rule: 'idle-unknown',
      severity: 'warning',
      hops: ['nginx', 'haproxy'],
      what: 'the idle limit of the downstream side of haproxy is not known',
      fix: "Look it up where haproxy is configured and say it: { downstream: { idle: '<value>' } }",
    })
    expect(findings(from('unknown'), to('60s'))).toMatchObject([
      {
        rule: 'idle-unknown',
        severity: 'warning',
        hops: ['from', 'to'],
        what: 'the idle limit of the upstream side of from is not known',
        fix: "Look it up where from is configured and say it: { upstream: { idle: '<value>' } }",
      },
    ])
  })

  test('asks once where several figures hang on the same one', () => {
    expect(brief(findings(from('unknown'), flow('350s'), flow('unknown', 'other'), to('unknown')))).toEqual([['idle-unknown', 'warning', 'from', 'to']])
  })

  test('asks for a TCP hop in between', () => {
    expect(findings(from('60s'), flow('unknown'), to('65s'))).toMatchObject([
      { rule: 'idle-unknown', hops: ['from', 'flow'], what: 'the idle limit of the downstream side of flow is not known' },
    ])
  })

  test('never guesses: an unknown figure is no inversion, however short the other is', () => {
    expect(findings(from('1h'), to('unknown')).map(({ rule }) => rule)).toEqual(['idle-unknown'])
  })
})

describe('flow-forgotten', () => {
  test('of a TCP hop that forgets before the HTTP hop in front of it', () => {
    expect(findings(nginx({ upstream: { idle: '1h' } }), flow('350s'), to('2h'))).toEqual([
      {
        rule: 'flow-forgotten',
        severity: 'error',
        hops: ['nginx', 'flow', 'to'],
        what: 'nginx reuses idle connections for 1h, flow between it and to remembers them for 350s',
        why: 'flow forwards TCP and drops or resets a flow that it forgot, although both ends still hold the connection.',
        fix: 'Raise the idle timeout of flow, or: upstream <name> { keepalive_timeout 346s; }',
      },
    ])
  })

  test.each<[IdleLimitInput, number]>([
    [63_001, 0],
    ['63s', 1],
    ['5s', 1],
    ['unlimited', 0],
  ])('a flow that lives %s under 60 s of reuse: %i', (idle, count) => {
    expect(brief(findings(from('60s'), flow(idle), to('65s')))).toEqual(Array.from({ length: count }, () => ['flow-forgotten', 'error', 'from', 'flow', 'to']))
  })

  test('each TCP hop is looked at', () => {
    expect(brief(findings(from('60s'), flow('10s', 'a'), flow('350s', 'b'), flow('20s', 'c'), to('65s')))).toEqual([
      ['flow-forgotten', 'error', 'from', 'a', 'to'],
      ['flow-forgotten', 'error', 'from', 'c', 'to'],
    ])
  })
})

describe('replays-unsafe', () => {
  test('is an error also where no figure is wrong', () => {
    const [finding, ...more] = findings(from('60s', { replay: 'everything' }), to('65s'))
    expect(more).toEqual([])
    expect(finding).toMatchObject({ rule: 'replays-unsafe', severity: 'error', hops: ['from', 'to'] })
    expect(finding?.fix).toBe('Protect POST on to with Idempotency-Key, and restrict the retries of from to idempotent methods.')
  })

  test.each<Replay>(['none', 'idempotent-methods', 'fresh-for-unsafe', 'unknown'])('is not said of a hop that replays %s', (replay) => {
    expect(findings(from('60s', { replay }), to('65s'))).toEqual([])
  })
})

describe('a clean chain', () => {
  test.each<[string, ChainInput]>([
    ['nothing at all', []],
    ['a server alone', ['node']],
    ['an ALB and 65 s', ['alb', node('65s')]],
    ['each edge by itself: 610 s of a client side never meets 600 s of a server side', [from('600s', { downstream: { idle: '610s' } }), to('610s')]],
    ['a hop that does not reuse connections, whatever the next one does', [from('none', { replay: 'everything' }), to('unknown')]],
    ['a hop that closes after each response by saying so', [from('60s'), to('none')]],
    ['HAProxy that does not reuse', [haproxy({ upstream: { idle: 'none' } }), 'node']],
  ])('%s', (_what, chain) => {
    expect(findings(...chain)).toEqual([])
  })
})

test('keepAtLeast is the next multiple of 5 s that is really longer', () => {
  const cases = [['60s', '65s'], ['61s', '65s'], ['62s', '70s'], [61_999, '65s'], [0, '5s'], ['2s', '10s'], ['1h', '3605s']] as const
  for (const [reused, kept] of cases) expect(keepAtLeast(duration(reused), margin)).toBe(duration(kept))
})
