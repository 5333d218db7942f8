import { createServer, type Server } from 'node:http'
import { customHop, definePolicy, haproxy, nginx, nodeServer } from '@hopwise/core'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { attach } from './index.js'

afterEach(() => {
  vi.restoreAllMocks()
})

/** What limits the arrival of a request is Hopwise's own clock, so Node's are off. */
function settings(server: Server): number[] {
  return [server.keepAliveTimeout, server.headersTimeout, server.requestTimeout]
}

describe('the settings of a server', () => {
  test.each([
    ['nothing in front', {}, [65_000, 0, 0]],
    ['nginx', { chain: ['nginx'] }, [65_000, 0, 0]],
    ['ALB with 120 s', { chain: [customHop({ name: 'lb', upstream: { idle: '120s' } })] }, [125_000, 0, 0]],
    ['HAProxy, which never lets go', { chain: [haproxy({ downstream: { idle: '50s' } })] }, [3_600_000, 0, 0]],
    ['the server named by its preset', { chain: ['alb', 'node'] }, [65_000, 0, 0]],
    ['own values', { server: { keepAliveTimeout: '20s', headersTimeout: '10s', requestTimeout: '30s' } }, [20_000, 0, 0]],
  ] as const)('with %s', (_what, policy, expected) => {
    const server = createServer()
    attach(server, policy)
    expect(settings(server)).toEqual(expected)
  })

  test('the buffer is set where the runtime has it', () => {
    const server = createServer()
    const had = 'keepAliveTimeoutBuffer' in server
    attach(server, { server: { keepAliveTimeoutBuffer: '2s' } })
    expect('keepAliveTimeoutBuffer' in server ? server.keepAliveTimeoutBuffer : undefined).toBe(had ? 2_000 : undefined)
  })

  test('a policy that is made already is taken as it is', () => {
    const policy = definePolicy({ chain: ['alb'] })
    expect(attach(createServer(), policy).policy).toBe(policy)
  })
})

describe('what is wrong is said at start', () => {
  const broken = [nginx({ name: 'edge', upstream: { idle: '60s' } }), nodeServer({ downstream: { idle: '5s' } })]

  test('a hop that breaks the rule: a warning that names both hops and the fix', () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const server = createServer()
    attach(server, { chain: broken })
    expect(warn).toHaveBeenCalledTimes(1)
    const [text, options] = warn.mock.calls[0] as unknown as [string, { type: string; code: string }]
    expect(text).toContain('edge → node')
    expect(text).toContain('server.keepAliveTimeout = 65000')
    expect(options).toEqual({ type: 'HopwiseWarning', code: 'idle-inversion' })
  })

  test('the same is an error with strict', () => {
    expect(() => attach(createServer(), { chain: broken, strict: true })).toThrow(/edge → node/)
  })

  test('a chain that keeps the rule is told nothing', () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    attach(createServer(), { chain: ['alb', 'nginx'] })
    expect(warn).not.toHaveBeenCalled()
  })

  test.each([
    [{ chian: [] }, /unknown option "chian"; allowed: chain, margin, server, drain, strict/],
    [{ chain: ['ngnix'] }, /chain\[0\]: unknown preset "ngnix"; allowed: "alb", "nginx", "haproxy", "node"/],
    [{ margin: '3' }, /option "margin" is "3"; allowed: a duration such as/],
    [{ server: { headersTimeout: '60s', requestTimeout: '30s' } }, /option "headersTimeout" is 60s; allowed: at most requestTimeout \(30s\)/],
    [{ drain: { deadline: '0s' } }, /option "deadline" is "0s"; allowed: .* from 100ms to 1h/],
  ])('%j', (policy, message) => {
    expect(() => attach(createServer(), policy as never)).toThrow(message)
  })

  test('a second policy on one server', () => {
    const server = createServer()
    attach(server)
    expect(() => attach(server)).toThrow(/attached to this server already/)
  })
})

test.each<[string, unknown]>([
  ['an app, which has a listen() as well', { listen() {}, on() {} }],
  ['a port', 3_000],
  ['nothing', undefined],
])('%s is no server', (_what, server) => {
  expect(() => attach(server as never)).toThrow('attach: expected a server of node:http, node:https or node:http2, such as what app.listen() gives')
})
