import { describe, expect, test } from 'vitest'
import type { Duration } from '../duration.js'
import { defineChain, edgesOf, frontHop, outlasts, withoutServer, type ChainInput } from './chain.js'
import { customHop, type IdleLimit } from './hop.js'
import { nginx, nodeServer } from './presets.js'

const tcp = (name: string) => customHop({ name, layer: 'tcp' })
const names = (input: ChainInput) => edgesOf(defineChain(input)).map(({ from, to, between }) => [from, ...between, to].map((hop) => hop.name))

describe('defineChain', () => {
  test('takes the names of presets and hops, in order', () => {
    const own = customHop({ name: 'waf' })
    expect(defineChain(['alb', own, 'nginx', 'node']).map((hop) => hop.name)).toEqual(['alb', 'waf', 'nginx', 'node'])
    expect(defineChain([])).toEqual([])
  })

  test.each<[string, unknown, string]>([
    ['an unknown preset', ['alb', 'ngnix'], 'chain[1]: unknown preset "ngnix"; allowed: "alb", "nginx", "haproxy", "node", or a hop made by customHop()'],
    ['a property of every object', ['toString'], 'chain[0]: unknown preset "toString"'],
    ['a hop that was not made by us', [{ name: 'nginx' }], "chain[0]: expected a preset's name or a hop made by a preset or by customHop()"],
    ['nothing', [null], "chain[0]: expected a preset's name"],
    ['a preset that was not called', [nginx], "chain[0]: expected a preset's name"],
    ['a string instead of a list', 'alb', 'chain: expected a list of hops, from the client to the server'],
    ['a name that is there twice', ['nginx', 'alb', 'nginx'], 'chain[2]: there are two hops called "nginx"; give one another name'],
    ['a server in front of a proxy', ['node', 'nginx'], 'chain[0]: "node" is a server, and a server is the last hop'],
    ['two servers', [nodeServer({ name: 'bff' }), nodeServer()], 'chain[0]: "bff" is a server'],
  ])('refuses %s', (_what, input, message) => {
    expect(() => defineChain(input as ChainInput)).toThrow(
      expect.objectContaining({ code: 'chain-invalid', message: expect.stringContaining(message) as string }),
    )
  })

  test('two hops of one product are two where their names differ', () => {
    expect(defineChain([nginx({ name: 'edge' }), nginx({ name: 'ingress' })])).toHaveLength(2)
  })
})

describe('edgesOf', () => {
  test.each<[string, ChainInput, string[][]]>([
    ['nothing in an empty chain', [], []],
    ['nothing for a lone hop', ['alb'], []],
    ['each pair of neighbours', ['alb', 'nginx', 'node'], [['alb', 'nginx'], ['nginx', 'node']]],
    ['a TCP hop lies on the edge around it', ['alb', tcp('nlb'), 'node'], [['alb', 'nlb', 'node']]],
    ['two TCP hops lie on one edge', ['alb', tcp('a'), tcp('b'), 'node'], [['alb', 'a', 'b', 'node']]],
    ['a TCP hop before the first HTTP hop makes no edge', [tcp('nlb'), 'nginx', 'node'], [['nginx', 'node']]],
    ['a TCP hop at the end makes no edge', ['nginx', tcp('nlb')], []],
    ['TCP hops on both edges stay apart', ['alb', tcp('a'), 'nginx', tcp('b'), 'node'], [['alb', 'a', 'nginx'], ['nginx', 'b', 'node']]],
    ['only TCP hops', [tcp('a'), tcp('b')], []],
  ])('%s', (_what, input, expected) => {
    expect(names(input)).toEqual(expected)
  })
})

describe('frontHop and withoutServer', () => {
  test.each<[ChainInput, string | undefined, number]>([
    [[], undefined, 0],
    [['node'], undefined, 0],
    [['alb', 'nginx'], 'nginx', 2],
    [['alb', 'nginx', 'node'], 'nginx', 2],
    [['alb', tcp('nlb'), 'node'], 'alb', 2],
    [[tcp('nlb')], undefined, 1],
  ])('chain %#', (input, front, hops) => {
    const chain = defineChain(input)
    expect(frontHop(chain)?.name).toBe(front)
    expect(withoutServer(chain)).toHaveLength(hops)
  })
})

describe('outlasts', () => {
  const s = (value: number): IdleLimit => (value * 1_000) as Duration

  test.each<[IdleLimit, IdleLimit, boolean]>([
    [s(64), s(60), true],
    [s(63), s(60), false],
    [s(62), s(60), false],
    [63_001 as Duration, s(60), true],
    ['unlimited', s(60), true],
    ['unlimited', 'unlimited', true],
    [s(3_600), 'unlimited', false],
    [s(1), 'none', true],
    ['none', 'none', true],
    ['none', s(1), false],
    ['unknown', s(1), false],
    [s(1), 'unknown', false],
    ['unknown', 'none', false],
  ])('%s kept, %s reused: %s', (kept, reused, expected) => {
    expect(outlasts(kept, reused, 3_000)).toBe(expected)
  })
})
