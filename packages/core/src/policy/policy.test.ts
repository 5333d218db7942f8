import { describe, expect, test } from 'vitest'
import { HopwiseError } from '../errors.js'
import { customHop } from './hop.js'
import { definePolicy, describeFinding, type PolicyOptions } from './policy.js'
import { nginx, nodeServer } from './presets.js'

describe('definePolicy', () => {
  test('without options is a server with nobody known in front', () => {
    const policy = definePolicy()
    expect(policy.chain.map((hop) => hop.name)).toEqual(['node'])
    expect(policy.server.keepAliveTimeout).toBe(65_000)
    expect(policy.drain.mode).toBe('refuse-first')
    expect(policy.findings).toEqual([])
  })

  test('puts the derived server at the end of the chain, and audits that', () => {
    const policy = definePolicy({ chain: ['alb', 'nginx'] })
    expect(policy.chain.map((hop) => [hop.name, hop.downstream.idle])).toEqual([['alb', 60_000], ['nginx', 75_000], ['node', 65_000]])
    expect(policy.findings).toEqual([])
  })

  test('a server that is named keeps its name, and takes settings that were said', () => {
    const policy = definePolicy({ chain: ['alb', nodeServer({ name: 'orders' })], server: { keepAliveTimeout: '70s' } })
    expect(policy.chain.map((hop) => [hop.name, hop.downstream.idle])).toEqual([['alb', 60_000], ['orders', 70_000]])
    expect(policy.findings).toEqual([])
  })

  test('audits what is there, where the server is named as it is', () => {
    const { server, findings } = definePolicy({ chain: ['alb', nodeServer()] })
    expect(server.keepAliveTimeout).toBe(5_000)
    expect(findings).toMatchObject([{ rule: 'idle-inversion', severity: 'error', hops: ['alb', 'node'] }])
  })

  test('derives what is there, where the server is only named', () => {
    expect(definePolicy({ chain: ['alb', 'node'] }).server).toEqual(definePolicy({ chain: ['alb'] }).server)
  })

  test('the margin is taken into the derived figure and into the audit', () => {
    expect(definePolicy({ chain: ['alb'], margin: '10s' }).server.keepAliveTimeout).toBe(75_000)
    expect(definePolicy({ chain: ['alb'], margin: 0, server: { keepAliveTimeout: '61s' } }).findings).toEqual([])
    expect(definePolicy({ chain: ['alb'], margin: '1s', server: { keepAliveTimeout: '61s' } }).findings).toHaveLength(1)
  })

  test('the margin is taken into the grace of idle connections in a drain', () => {
    expect(definePolicy({ chain: ['nginx'] }).drain.idleGrace).toBe(63_000)
    expect(definePolicy({ chain: ['nginx', nodeServer()], margin: '10s' }).drain.idleGrace).toBe(70_000)
    expect(definePolicy({ chain: ['nginx'], margin: 0 }).drain.idleGrace).toBe(60_000)
    expect(definePolicy({ chain: ['nginx'], margin: '10s', drain: { idleGrace: '2s' } }).drain.idleGrace).toBe(2_000)
  })

  test('limits of the server go into its settings, and are absent where nobody says them', () => {
    const limits = { maxConnections: 5_000, maxConnectionAge: 600_000, maxRequestsPerConnection: 100 }
    expect(definePolicy({ chain: ['alb'], server: limits }).server).toStrictEqual({ ...definePolicy({ chain: ['alb'] }).server, ...limits })
    expect(Object.keys(definePolicy().server)).toEqual(['keepAliveTimeout', 'keepAliveTimeoutBuffer', 'headersTimeout', 'requestTimeout'])
  })

  test('drain options go into the plan, and the chain gives the mode', () => {
    const drain = { idleGrace: '2s', streamSpread: '3s', shedWithin: '4s' } as const
    expect(definePolicy({ chain: ['alb'], drain }).drain).toMatchObject({ mode: 'announce-first', idleGrace: 2_000, streamSpread: 3_000, shedWithin: 4_000 })
    expect(definePolicy({ chain: ['nginx', 'node'] }).drain.mode).toBe('refuse-first')
  })

  test.each<[string, unknown, string, string]>([
    ['an unknown option', { chains: [] }, 'option-unknown', 'policy: unknown option "chains"; allowed: chain, margin, server, drain, strict'],
    ['a chain that is no list', { chain: 'alb' }, 'option-invalid', 'policy: option "chain" is "alb"; allowed: a list of hops'],
    ['a margin above 60 s', { margin: '61s' }, 'option-invalid', 'policy: option "margin" is "61s"'],
    ['a broken chain', { chain: ['alb', 'alb'] }, 'chain-invalid', 'chain[1]: there are two hops called "alb"'],
    ['no server object', { server: null }, 'option-invalid', 'server: expected an options object, got null'],
    ['an unknown server option', { server: { keepalive: '5s' } }, 'option-unknown', 'server: unknown option "keepalive"'],
    ['no drain object', { drain: 'fast' }, 'option-invalid', 'policy: option "drain" is "fast"'],
    ['an unknown drain option', { drain: { delay: '5s' } }, 'option-unknown', 'drain: unknown option "delay"'],
    ['a strictness that is none', { strict: 'yes' }, 'option-invalid', 'policy: option "strict" is "yes"; allowed: true or false'],
  ])('refuses %s', (_what, options, code, message) => {
    expect(() => definePolicy(options as PolicyOptions)).toThrow(
      expect.objectContaining({ name: 'HopwiseError', code, message: expect.stringContaining(message) as string }),
    )
  })
})

describe('strict', () => {
  test('throws where an edge breaks the rule, and names both of its hops for each', () => {
    const error = thrownBy(() => definePolicy({ chain: [nginx({ name: 'edge' }), nginx({ name: 'ingress', downstream: { idle: '30s' } }), nodeServer()], strict: true }))
    expect(error).toMatchObject({ name: 'HopwiseError', code: 'chain-breaks-rule' })
    const [first, second, ...more] = error.message.split('\n')
    expect(first).toMatch(/^idle-inversion \(edge → ingress\): edge reuses idle connections for 60s, ingress keeps them for 30s .* Fix: /)
    expect(second).toMatch(/^idle-inversion \(ingress → node\): ingress reuses idle connections for 60s, node keeps them for 5s .* Fix: /)
    expect(more).toEqual([])
  })

  test('lets warnings and notes pass: nobody can mend what is not known', () => {
    const unknown = customHop({ name: 'waf', downstream: { idle: '5m' } })
    expect(definePolicy({ chain: ['nginx', unknown], strict: true }).findings.map(({ severity }) => severity)).toEqual(['warning'])
    expect(definePolicy({ chain: ['haproxy'], strict: true }).findings.map(({ severity }) => severity)).toEqual(['note'])
  })

  test('is silent about a chain that holds', () => {
    expect(definePolicy({ chain: ['alb', 'nginx'], strict: true }).findings).toEqual([])
  })
})

test('describeFinding says the rule, the hops, what is wrong, why, and the fix', () => {
  expect(describeFinding({ rule: 'idle-unknown', severity: 'warning', hops: ['a', 'b', 'c'], what: 'what', why: 'Why.', fix: 'do this' })).toBe(
    'idle-unknown (a → b → c): what. Why. Fix: do this',
  )
})

function thrownBy(run: () => unknown): HopwiseError {
  try {
    run()
  } catch (error) {
    if (error instanceof HopwiseError) return error
  }
  return expect.fail('no HopwiseError was thrown')
}
