import { describe, expect, test } from 'vitest'
import { duration } from '../duration.js'
import { defineChain, type ChainInput } from '../policy/chain.js'
import { customHop, type Failover, type IdleLimitInput } from '../policy/hop.js'
import { alb, haproxy, nginx } from '../policy/presets.js'
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

describe('the grace of idle connections, from the chain', () => {
  const reusing = (idle: IdleLimitInput, failover: Failover = 'connect', name = 'front') => customHop({ name, failover, upstream: { idle } })
  const grace = (...chain: ChainInput) => planDrain(defineChain(chain)).idleGrace
  const day = 86_400_000

  test.each<[string, ChainInput, number]>([
    ['nobody in front', [], 1_000],
    ['nobody in front of a server that is named', ['node'], 1_000],
    ['nginx, which only a refused connection tells: its 60 s and the margin', ['nginx'], 63_000],
    ['nginx, and the server named', ['nginx', 'node'], 63_000],
    ['nginx with a time of its own', [nginx({ upstream: { idle: '5s' } })], 8_000],
    ['nginx without keep-alive keeps nothing that it could use', [nginx({ upstream: { idle: 'none' } })], 1_000],
    ['nginx of which it is not known', [nginx({ upstream: { idle: 'unknown' } })], day],
    ['nginx that never lets go', [nginx({ upstream: { idle: 'unlimited' } })], day],
    ['nginx that was made to learn it by a health check', [nginx({ failover: 'health-check' })], 1_000],
    ['an ALB was told', ['alb'], 1_000],
    ['an ALB was told, whatever its time', [alb({ upstream: { idle: '1h' } })], 1_000],
    ['HAProxy was told, though it never lets go', ['haproxy', 'node'], 1_000],
    ['HAProxy that only a refused connection tells', [haproxy({ failover: 'connect' })], day],
    ['a hop that does not learn it', [reusing('10s', 'none')], 13_000],
    ['a hop of which nothing was said', [customHop({ name: 'front' })], day],
    ['a hop that lets go at once', [reusing(0)], 3_000],
    ['a hop that lets go after two days', [reusing('2d')], 2 * day + 3_000],
    ['only the hop in front has connections here', ['alb', 'nginx'], 63_000],
    ['only the hop in front has connections here (2)', ['nginx', 'alb'], 1_000],
    ['through a TCP hop they are those of the HTTP hop before it', [reusing('10s'), tcp('none')], 13_000],
    ['a TCP balancer that was told does not end what nginx has open', ['nginx', tcp('health-check'), 'node'], 63_000],
    ['a TCP hop alone has no requests of its own', [tcp('connect')], 1_000],
  ])('%s', (_what, chain, expected) => {
    expect(grace(...chain)).toBe(expected)
  })

  test('the margin is the one that the policy has', () => {
    expect(planDrain(defineChain(['nginx']), undefined, duration(0)).idleGrace).toBe(60_000)
    expect(planDrain(defineChain(['nginx']), undefined, duration('10s')).idleGrace).toBe(70_000)
    expect(planDrain(defineChain(['alb']), undefined, duration('10s')).idleGrace).toBe(1_000)
  })

  test('the user may say, and the margin is not added to that', () => {
    expect(planDrain(defineChain(['nginx']), { idleGrace: '2s' }).idleGrace).toBe(2_000)
    expect(planDrain(defineChain(['nginx']), { idleGrace: 0 }).idleGrace).toBe(0)
    expect(planDrain(defineChain(['alb']), { idleGrace: '24h' }).idleGrace).toBe(day)
  })

  test('does not depend on a mode that the user has said', () => {
    expect(planDrain(defineChain(['nginx']), { mode: 'announce-first' }).idleGrace).toBe(63_000)
    expect(planDrain(defineChain(['alb']), { mode: 'refuse-first' }).idleGrace).toBe(1_000)
  })
})

describe('the times', () => {
  test('have defaults', () => {
    expect(planDrain([])).toEqual({
      mode: 'refuse-first',
      announceFor: 5_000,
      quietWindow: 500,
      idleGrace: 1_000,
      deadline: 25_000,
      streamSpread: 2_000,
      shedWithin: 1_000,
    })
  })

  test('are taken as they were said', () => {
    const options: DrainOptions = {
      mode: 'announce-first',
      announceFor: '10s',
      quietWindow: '2s',
      idleGrace: '3s',
      deadline: '1m',
      streamSpread: '4s',
      shedWithin: '5s',
    }
    expect(planDrain([], options)).toEqual({
      mode: 'announce-first',
      announceFor: 10_000,
      quietWindow: 2_000,
      idleGrace: 3_000,
      deadline: 60_000,
      streamSpread: 4_000,
      shedWithin: 5_000,
    })
  })

  test('may be nothing, but for the deadline', () => {
    const nothing = { announceFor: 0, quietWindow: 0, idleGrace: 0, streamSpread: 0, shedWithin: 0 }
    expect(planDrain([], nothing)).toEqual({ mode: 'refuse-first', deadline: 25_000, ...nothing })
  })

  test.each<[DrainOptions, number]>([
    [{ deadline: '1h' }, 1_000],
    [{ deadline: '10s' }, 1_000],
    [{ deadline: '9s' }, 900],
    [{ deadline: '2s' }, 200],
    [{ deadline: 109 }, 10],
    [{ deadline: 100 }, 10],
    [{ deadline: 100, shedWithin: '1s' }, 1_000],
  ])('with %j requests are shed in the last %i ms: a tenth at most, where nobody asks for more', (options, shedWithin) => {
    expect(planDrain([], options).shedWithin).toBe(shedWithin)
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
    [{ idleGrace: '25h' }, 'option-invalid', 'drain: option "idleGrace" is "25h"'],
    [{ streamSpread: '11m' }, 'option-invalid', 'drain: option "streamSpread" is "11m"'],
    [{ shedWithin: '61s' }, 'option-invalid', 'drain: option "shedWithin" is "61s"'],
    [{ deadline: Number.NaN }, 'option-invalid', 'drain: option "deadline" is NaN'],
    [{ deadline: Infinity }, 'option-invalid', 'drain: option "deadline" is Infinity'],
    [{ deadline: '99ms' }, 'option-invalid', 'drain: option "deadline" is "99ms"'],
    [{ deadline: '61m' }, 'option-invalid', 'drain: option "deadline" is "61m"'],
    [{ timeout: '5s' }, 'option-unknown', 'drain: unknown option "timeout"; allowed: mode, announceFor, quietWindow, idleGrace, deadline, streamSpread, shedWithin'],
    [null, 'option-invalid', 'drain: expected an options object, got null'],
  ])('refuses %j', (options, code, message) => {
    expect(() => planDrain([], options as DrainOptions)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) as string }))
  })
})
