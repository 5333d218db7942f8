import { expect, test } from 'vitest'
import type { CommonOptions } from '../options.js'
import { manualClock } from '../testing/manual-clock.js'
import type { LegacyHandler } from './dispatch.js'
import { composed, answer, keyed } from './testing/composed.js'

const fields = ['Content-Type', 'application/problem+json'].map((text) => Buffer.from(text))

/** A call whose first attempt is answered by the header of a problem document, and what the handler above got so far. */
function heldCall(options: CommonOptions = {}, overwrite: Partial<LegacyHandler> = {}) {
  const clock = manualClock()
  const got: string[] = []
  const beneath: LegacyHandler[] = []
  const { dispatch } = composed((handler) => {
    beneath.push(handler)
    handler.onConnect?.((reason) => handler.onError?.(reason))
    if (beneath.length === 1) handler.onHeaders?.(409, fields, () => {}, '')
    else answer(handler, 200)
  }, { clock, ...options })
  const above: LegacyHandler = {
    onConnect: () => {},
    onHeaders: (status) => got.push(String(status)) > 0,
    onData: (chunk) => got.push(Buffer.from(chunk).toString()) > 0,
    onComplete: () => void got.push('end'),
    onError: (error) => void got.push((error as { verdict: string }).verdict),
    ...overwrite,
  }
  dispatch(keyed, above)
  const [first] = beneath
  if (first === undefined) throw new Error('nothing was dispatched')
  return { clock, got, first, data: (text: string) => first.onData?.(Buffer.from(text)) }
}

test('a problem document that stalls is handed over after 250 ms, and its rest as it comes', () => {
  const { clock, got, first, data } = heldCall()
  data('{"type":')
  clock.advance(249)
  expect(got).toEqual([])
  clock.advance(1)
  expect(got).toEqual(['409', '{"type":'])
  data('"urn:hopwise:problem:key-in-progress"}')
  first.onComplete?.([])
  expect(got.slice(2)).toEqual(['"urn:hopwise:problem:key-in-progress"}', 'end'])
})

test.each([
  ['comes to its end', (first: LegacyHandler) => first.onComplete?.([]), ['409', '{}', 'end']],
  ['breaks off', (first: LegacyHandler) => first.onError?.(new Error('other side closed')), ['response-started']],
])('one that %s leaves no timer behind', (_what, end, expected) => {
  const { clock, got, first, data } = heldCall()
  data('{}')
  expect(clock.running).toBe(1)
  end(first)
  expect(clock.running).toBe(0)
  expect(got).toEqual(expected)
})

test('one that stalls is judged by its status: a 409 that is sent again in any case is', async () => {
  const { clock, got } = heldCall({ retry: { statuses: [409] }, random: () => 0.5 })
  clock.advance(250)
  // It is read for nobody then, for its wait and once more as long.
  await clock.waitsFor(275)
  expect(got).toEqual([])
  clock.advance(275)
  await expect.poll(() => got).toEqual(['200', 'end'])
})

test('a handler above that throws at what it gets then ends the attempt, as in undici', () => {
  const { clock, got } = heldCall({}, { onHeaders: () => { throw new Error('a mistake') } })
  clock.advance(250)
  expect(got).toEqual(['response-started'])
})

test('a handler above that gives up at the header gets nothing more', () => {
  let abort = (_reason: unknown): void => {}
  const { got, first, data } = heldCall({}, { onConnect: (given) => void (abort = given), onHeaders: () => abort(new Error('enough')) })
  data('{}')
  first.onComplete?.([])
  expect(got).toEqual(['aborted'])
})
