import type { PolicyOptions } from '@hopwise/core'
import { expect, test, vi } from 'vitest'
import { attach, serverSettings } from './bun.js'
import { attach as attachDeno } from './deno.js'

test.each<[PolicyOptions | undefined, number]>([
  [{ chain: ['nginx'] }, 69],
  [undefined, 69],
  [{ server: { keepAliveTimeout: '251s' } }, 255],
  [{ server: { keepAliveTimeout: 1_500 } }, 6],
])('Bun\'s clock fires up to 4 s early, so its idleTimeout is longer: %j', (policy, idleTimeout) => {
  expect(serverSettings(policy)).toEqual({ idleTimeout })
})

test('a chain that asks for more than Bun has is an error at start', () => {
  expect(() => serverSettings({ server: { keepAliveTimeout: '252s' } })).toThrow('Bun keeps an idle connection for at most 251 s, and the chain asks for 252 s')
})

test('a second policy for one server is an error, and two drains are one', async () => {
  let stops = 0
  const bun = { stop: async () => void stops++ }
  const hop = attach(bun)
  expect(() => attach(bun)).toThrow('attached to this server already')
  const deno = { shutdown: async () => void stops++ }
  const other = attachDeno(deno)
  expect(() => attachDeno(deno)).toThrow('attached to this server already')
  expect(await Promise.all([hop.drain(), hop.drain(), other.drain()])).toEqual(Array.from({ length: 3 }, () => ({ forced: false, took: expect.any(Number) as number })))
  expect([stops, hop.phase, hop.ready]).toEqual([2, 'closed', false])
})

test('a server whose stop fails is closed all the same', async () => {
  const hop = attach({ stop: () => Promise.reject(new Error('no')) })
  expect((await hop.drain()).forced).toBe(false)
})

test('what the audit found is told', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  attachDeno({ shutdown: async () => {} }, { chain: ['nginx'], server: { keepAliveTimeout: '5s' } })
  expect(warn).toHaveBeenCalledWith(expect.stringContaining('hopwise: idle-inversion'))
  warn.mockRestore()
})
