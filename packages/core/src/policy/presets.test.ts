import { describe, expect, test } from 'vitest'
import type { Duration } from '../duration.js'
import { alb, haproxy, nginx, nodeServer, presets } from './presets.js'

describe('presets', () => {
  test('hold the documented figures (facts of 2026-11-24)', () => {
    const figures = Object.values(presets).map((preset) => {
      const { product, layer, downstream, upstream, replay, failover } = preset()
      return [product, layer, downstream.idle, upstream.idle, replay, failover]
    })
    expect(figures).toEqual([
      ['alb', 'http', 60_000, 60_000, 'none', 'deregistration'],
      ['nginx', 'http', 75_000, 60_000, 'idempotent-methods', 'connect'],
      ['haproxy', 'http', 'unknown', 'unlimited', 'none', 'health-check'],
      ['node', 'http', 5_000, 'none', 'none', 'none'],
    ])
  })

  test.each(Object.entries(presets))('%s says where its figures come from, and when they were read', (name, preset) => {
    const { source, product } = preset()
    expect(product).toBe(name)
    expect(source?.reference).toMatch(/^https:\/\/\S+$/)
    expect(source?.date).toMatch(/^\d{4}-\d\d-\d\d$/)
  })

  test('write an idle limit in the product\'s own syntax', () => {
    const idle = 65_000 as Duration
    const aws = 'aws elbv2 modify-load-balancer-attributes --load-balancer-arn <arn> --attributes Key=idle_timeout.timeout_seconds,Value=65'
    expect(alb().configure.downstream?.(idle)).toBe(aws)
    expect(alb().configure.upstream?.(idle)).toBe(aws)
    expect(nginx().configure.downstream?.(idle)).toBe('keepalive_timeout 65s;')
    expect(nginx().configure.upstream?.(idle)).toBe('upstream <name> { keepalive_timeout 65s; }')
    expect(haproxy().configure.downstream?.(idle)).toBe('timeout http-keep-alive 65s')
    expect(haproxy().configure.upstream).toBeUndefined()
    expect(nodeServer().configure.downstream?.(idle)).toBe('server.keepAliveTimeout = 65000')
    expect(nodeServer().configure.upstream).toBeUndefined()
  })
})

describe('the one idle setting of an ALB', () => {
  test.each([
    ['downstream', alb({ downstream: { idle: '120s' } })],
    ['upstream', alb({ upstream: { idle: '120s' } })],
  ])('said of its %s side holds for both', (_side, hop) => {
    expect([hop.downstream.idle, hop.upstream.idle]).toEqual([120_000, 120_000])
  })

  test('both sides may be said', () => {
    const hop = alb({ downstream: { idle: '120s' }, upstream: { idle: '90s' } })
    expect([hop.downstream.idle, hop.upstream.idle]).toEqual([120_000, 90_000])
  })
})
