import { rawConnect, rawRequest, requestText } from '@hopwise/testkit/adapter'
import { describe, expect, onTestFinished, test } from 'vitest'
import { bun, deno, startProgram } from './testing/runtimes.js'

describe.each([
  ['bun', bun],
  ['deno', deno],
])('the drain on %s', (name, runtime) => {
  const start = async (policy: unknown) => {
    const program = await startProgram(runtime, 'drain-server.mjs', { policy })
    onTestFinished(() => program.end())
    const { port } = program.first
    const said = async (): Promise<unknown> => JSON.parse(await program.line())
    return { port, said, tell: program.tell }
  }

  test('a request that runs gets its answer, then the server is closed', async () => {
    const { port, said, tell } = await start({ chain: ['nginx'] })
    const running = await rawConnect(port)
    running.write(requestText('GET', '/gated', {}))
    expect(await said()).toEqual({ reached: true })
    tell('drain')
    expect([await said(), await said()]).toEqual([{ phase: 'announcing' }, { phase: 'draining' }])
    await expect(rawRequest(port, requestText('GET', '/ready', {}))).rejects.toThrow(/ECONNREFUSED|ECONNRESET|ended/)
    tell('open')
    expect((await running.response()).body.toString()).toBe('done')
    expect([await said(), await said()]).toEqual([{ phase: 'closed' }, { forced: false }])
    expect(await running.closed()).toBe('end')
  })

  test('behind a hop that is told, it says that it is not ready, and accepts for a while', async () => {
    const { port, said, tell } = await start({ chain: ['alb'], drain: { announceFor: '1500ms', quietWindow: 100 } })
    const kept = await rawConnect(port)
    kept.write(requestText('GET', '/ready', {}))
    const before = await kept.response()
    expect([before.status, before.field('connection')]).not.toContain('close')
    expect((await rawRequest(port, requestText('GET', '/readyz', {}))).status).toBe(200)
    tell('drain')
    expect(await said()).toEqual({ phase: 'announcing' })
    const check = await rawRequest(port, requestText('GET', '/ready', {}))
    expect([check.status, check.body.toString()]).toEqual([503, 'announcing'])
    const ready = await rawRequest(port, requestText('GET', '/readyz', {}))
    expect([ready.status, ready.body.toString()]).toEqual([503, '{"status":"draining"}'])
    expect((await rawRequest(port, requestText('GET', '/livez', {}))).status).toBe(200)
    // The hop in front is told to let go of a connection that it has, before the runtime cuts idle ones.
    kept.write(requestText('GET', '/ready', {}))
    expect((await kept.response()).field('connection')).toBe('close')
    expect([await said(), await said(), await said()]).toEqual([{ phase: 'draining' }, { phase: 'closed' }, { forced: false }])
  })

  test('the deadline ends it, whatever is left', async () => {
    const { port, said, tell } = await start({ chain: ['nginx'], drain: { deadline: 300 } })
    const running = await rawConnect(port)
    running.write(requestText('GET', '/gated', {}))
    expect(await said()).toEqual({ reached: true })
    tell('drain')
    expect([await said(), await said(), await said(), await said()]).toEqual([{ phase: 'announcing' }, { phase: 'draining' }, { phase: 'closed' }, { forced: true }])
    // Deno cannot cut it: that is left to the end of the process.
    if (name === 'bun') await running.closed()
    running.destroy()
  })
})
