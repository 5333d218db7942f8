import { describe, expect, test } from 'vitest'
import { defineChain, type ChainInput } from '../policy/chain.js'
import { customHop, type Failover } from '../policy/hop.js'
import { planDrain, type DrainOptions } from './plan.js'

const http = (failover: Failover, name = 'front') => customHop({ name, failover })
const tcp = (failover: Failover, name = 'balancer') => customHop({ name, layer: 'tcp', failover })
const mode = (...chain: ChainInput) => planDrain(defineChain(chain)).mode

describe('the mode, from the chain', () => {
  test.each<[string, ChainInput, string]>([
    ['nobody in front', [], 'refuse-first'],
    ['nobody in front of a server that is named', ['node'], 'refuse-first'],
    ['nginx turns to another server when one refuses', ['nginx'], 'refuse-first'],
    ['nginx, and the server named', ['nginx', 'node'], 'refuse-first'],
    ['an ALB deregisters', ['alb'], 'announce-first'],
    ['HAProxy checks health', ['haproxy', 'node'], 'announce-first'],
    ['the hop in front decides, not the one before it', ['alb', 'nginx'], 'refuse-first'],
    ['the hop in front decides, not the one before it (2)', ['nginx', 'alb'], 'announce-first'],
    ['a hop that does not learn it', [http('none')], 'refuse-first'],
    ['a TCP balancer that deregisters, with nobody known before it', [tcp('deregistration')], 'announce-first'],
    ['a TCP balancer behind nginx picks the server, so it has to be told', ['nginx', tcp('health-check'), 'node'], 'announce-first'],
    ['one of two TCP hops that picks', ['nginx', tcp('none', 'tunnel'), tcp('deregistration'), 'node'], 'announce-first'],
    ['a TCP hop that picks nothing leaves the choice to the hop before it', ['alb', tcp('none'), 'node'], 'announce-first'],
    ['a TCP hop that picks nothing leaves the choice to the hop before it (2)', ['nginx', tcp('none')], 'refuse-first'],
    ['a TCP balancer before nginx does not see this server', [tcp('deregistration'), 'nginx'], 'refuse-first'],
  ])('%s', (_what, chain, expected) => {
    expect(mode(...chain)).toBe(expected)
  })

  test('the user may say', () => {
    expect(planDrain(defineChain(['nginx']), { mode: 'announce-first' }).mode).toBe('announce-first')
    expect(planDrain(defineChain(['alb']), { mode: 'refuse-first' }).mode).toBe('refuse-first')
  })
})

describe('the times', () => {
  test('have defaults', () => {
    expect(planDrain([])).toEqual({ mode: 'refuse-first', announceFor: 5_000, quietWindow: 500, idleGrace: 1_000, deadline: 25_000 })
  })

  test('are taken as they were said', () => {
    const options: DrainOptions = { mode: 'announce-first', announceFor: '10s', quietWindow: '2s', idleGrace: '3s', deadline: '1m' }
    expect(planDrain([], options)).toEqual({ mode: 'announce-first', announceFor: 10_000, quietWindow: 2_000, idleGrace: 3_000, deadline: 60_000 })
  })

  test.each<[DrainOptions, boolean]>([
    [{ announceFor: '4s', quietWindow: '1s', deadline: 5_001 }, true],
    [{ announceFor: '4s', quietWindow: '1s', deadline: '5s' }, false],
    [{ announceFor: '30s' }, false],
    [{ announceFor: 0, quietWindow: 0, deadline: 100 }, true],
  ])('%j leave something of the deadline to announce-first: %s', (options, fits) => {
    const plan = () => planDrain(defineChain(['alb']), options)
    if (fits) expect(plan().mode).toBe('announce-first')
    else expect(plan).toThrow(expect.objectContaining({ code: 'option-invalid', message: 'drain: option "deadline" must be longer than announceFor and quietWindow together' }))
  })

  test('refuse-first does not announce, so nothing has to be left of it', () => {
    expect(planDrain([], { announceFor: '30s' }).mode).toBe('refuse-first')
  })

  test.each<[unknown, string, string]>([
    [{ mode: 'fast' }, 'option-invalid', 'drain: option "mode" is "fast"; allowed: "refuse-first" or "announce-first"'],
    [{ announceFor: '11m' }, 'option-invalid', 'drain: option "announceFor" is "11m"'],
    [{ quietWindow: '61s' }, 'option-invalid', 'drain: option "quietWindow" is "61s"'],
    [{ idleGrace: -1 }, 'option-invalid', 'drain: option "idleGrace" is -1'],
    [{ deadline: '99ms' }, 'option-invalid', 'drain: option "deadline" is "99ms"'],
    [{ deadline: '61m' }, 'option-invalid', 'drain: option "deadline" is "61m"'],
    [{ timeout: '5s' }, 'option-unknown', 'drain: unknown option "timeout"; allowed: mode, announceFor, quietWindow, idleGrace, deadline'],
    [null, 'option-invalid', 'drain: expected an options object, got null'],
  ])('refuses %j', (options, code, message) => {
    expect(() => planDrain([], options as DrainOptions)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) as string }))
  })
})
