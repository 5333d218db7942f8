import { describe, expect, test } from 'vitest'
import { customHop, type HopOptions } from './hop.js'
import { nginx } from './presets.js'

const refused = (code: 'option-invalid' | 'option-unknown', message: string) => expect.objectContaining({ code, message: expect.stringContaining(message) as string })

describe('customHop', () => {
  test('has to have a name', () => {
    expect(() => customHop({} as never)).toThrow('customHop: option "name" is required: a name of 1 to 64 characters')
  })

  test('says unknown of everything that was not said', () => {
    expect(customHop({ name: 'waf' })).toEqual({
      name: 'waf',
      product: 'custom',
      layer: 'http',
      downstream: { idle: 'unknown' },
      upstream: { idle: 'unknown' },
      replay: 'unknown',
      failover: 'none',
      configure: {},
    })
  })

  test('takes what was said', () => {
    const hop = customHop({
      name: 'nlb',
      layer: 'tcp',
      downstream: { idle: '350s' },
      upstream: { idle: 'unlimited' },
      replay: 'everything',
      failover: 'deregistration',
    })
    expect(hop).toMatchObject({
      layer: 'tcp',
      downstream: { idle: 350_000 },
      upstream: { idle: 'unlimited' },
      replay: 'everything',
      failover: 'deregistration',
    })
  })

  test.each([1, 64])('a name may have %i characters', (length) => {
    expect(customHop({ name: 'n'.repeat(length) }).name).toHaveLength(length)
  })

  test.each(['unlimited', 'none', 'unknown'] as const)('an idle limit may be %s', (idle) => {
    expect(customHop({ name: 'waf', downstream: { idle } }).downstream.idle).toBe(idle)
  })

  test.each<[string, unknown, ReturnType<typeof refused>]>([
    ['an unknown option', { name: 'waf', idle: '5s' }, refused('option-unknown', 'customHop: unknown option "idle"; allowed: name, downstream, upstream, replay, failover, layer')],
    ['an idle limit without a unit', { name: 'waf', upstream: { idle: '60' } }, refused('option-invalid', 'customHop.upstream: option "idle" is "60"; allowed: a duration')],
    ['a side without its limit', { name: 'waf', upstream: {} }, refused('option-invalid', 'customHop.upstream: option "idle" is required')],
    ['a side that is a duration', { name: 'waf', downstream: '60s' }, refused('option-invalid', 'customHop.downstream: expected an options object, got "60s"')],
    ['an unknown habit', { name: 'waf', replay: 'always' }, refused('option-invalid', '"none" or "idempotent-methods" or "fresh-for-unsafe" or "everything" or "unknown"')],
    ['an unknown failover', { name: 'waf', failover: 'dns' }, refused('option-invalid', '"connect" or "health-check" or "deregistration" or "none"')],
    ['a layer that is none', { name: 'waf', layer: 'udp' }, refused('option-invalid', '"http" or "tcp"')],
    ['an empty name', { name: '' }, refused('option-invalid', 'a name of 1 to 64 characters')],
    ['a name of 65 characters', { name: 'n'.repeat(65) }, refused('option-invalid', 'a name of 1 to 64 characters')],
  ])('refuses %s', (_what, options, error) => {
    expect(() => customHop(options as HopOptions & { name: string })).toThrow(error)
  })
})

describe('a preset with options', () => {
  test('keeps what was not said, each side apart', () => {
    const { configure: _made, ...preset } = nginx()
    const hop = nginx({ name: 'edge', upstream: { idle: '30s' }, failover: 'none' })
    expect(hop).toEqual({ ...preset, configure: hop.configure, name: 'edge', upstream: { idle: 30_000 }, failover: 'none' })
  })

  test('refuses an unknown option by the preset\'s name', () => {
    expect(() => nginx({ layer: 'tcp' } as HopOptions)).toThrow(refused('option-unknown', 'nginx: unknown option "layer"'))
  })
})
