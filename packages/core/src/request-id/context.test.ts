import { afterEach, describe, expect, test, vi } from 'vitest'
import { getContext, getRequestId, runInContext, type RequestContext } from './context.js'

const context = (id: string): RequestContext => ({ requestId: { id, origin: 'new' } })

describe('a request\'s context', () => {
  test('is undefined outside of a request', () => {
    expect(getContext()).toBeUndefined()
    expect(getRequestId()).toBeUndefined()
  })

  test('is found in the callback, whose result is given back', () => {
    const outer = context('a')
    expect(runInContext(outer, () => [getContext(), getRequestId()])).toEqual([outer, 'a'])
    expect(runInContext(outer, getContext)).toBe(outer)
    expect(getContext()).toBeUndefined()
  })

  test('nests, and the outer one is there again afterwards', () => {
    const seen = runInContext(context('a'), () => [getRequestId(), runInContext(context('b'), getRequestId), getRequestId()])
    expect(seen).toEqual(['a', 'b', 'a'])
  })

  test('is there again after a callback that throws', () => {
    runInContext(context('a'), () => {
      expect(() =>
        runInContext(context('b'), () => {
          throw new Error('broken')
        }),
      ).toThrow('broken')
      expect(getRequestId()).toBe('a')
    })
    expect(getRequestId()).toBeUndefined()
  })

  test('lives on across await, timers and promises, in each of many requests at once', async () => {
    const serve = (id: string, turns: number) =>
      runInContext(context(id), async () => {
        const seen = [getRequestId()]
        for (let turn = 0; turn < turns; turn++) {
          await (turn % 2 === 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, 0)))
          seen.push(getRequestId())
        }
        return seen
      })
    const results = await Promise.all(Array.from({ length: 20 }, (_, index) => serve(`request-${index}`, index)))
    for (const [index, seen] of results.entries()) expect(seen).toEqual(Array.from({ length: index + 1 }, () => `request-${index}`))
    expect(getRequestId()).toBeUndefined()
  })
})

describe('a runtime without AsyncLocalStorage', () => {
  afterEach(() => {
    vi.resetModules()
  })

  test.each<[string, unknown]>([
    ['no process', undefined],
    ['a process without getBuiltinModule', {}],
    ['no such built-in module', { getBuiltinModule: () => undefined }],
    ['a module without the class', { getBuiltinModule: () => ({}) }],
  ])('%s: the callback just runs, and the context has to be handed on', async (_what, host) => {
    vi.resetModules()
    vi.stubGlobal('process', host)
    const bare = await import('./context.js').finally(() => vi.unstubAllGlobals())
    expect(bare.runInContext).not.toBe(runInContext)
    expect(bare.runInContext(context('a'), () => [bare.getContext(), bare.getRequestId(), 'ran'])).toEqual([undefined, undefined, 'ran'])
  })
})
