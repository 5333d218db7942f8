import { beforeEach, expect, test } from 'vitest'
import { manualClock, type ManualClock } from '../testing/manual-clock.js'
import type { Controller, CurrentHandler, Dispatch, DispatchOptions } from './dispatch.js'
import { hopwiseOf } from './interceptor.js'
import { get } from './testing/composed.js'

// The shape of undici 7 and 8, where the handler above holds one controller for the whole call.
let clock: ManualClock
let done: string[]
let handlers: CurrentHandler[]
let dispatched: (count: number) => Promise<void>
let control: Controller

beforeEach(() => {
  clock = manualClock()
  done = []
  handlers = []
  const waiting: { readonly count: number; readonly resolve: () => void }[] = []
  dispatched = (count) => new Promise((resolve) => void waiting.push({ count, resolve }))
  const beneath = (_options: DispatchOptions, handler: object): boolean => {
    handlers.push(handler)
    for (const { count, resolve } of waiting) if (handlers.length === count) resolve()
    return true
  }
  const above: CurrentHandler = {
    onRequestStart(controller) {
      control = controller
    },
    onResponseStart: (_controller, status) => void done.push(`status ${status}`),
    onResponseError: (_controller, error) => void done.push((error as Error).name),
  }
  hopwiseOf({ clock, random: () => 0, firstByteTimeout: '1s' }, { watch: null })(beneath as Dispatch)(get, above)
})

/** What stands for an attempt in undici. */
const controllerOf = (name: string): Controller => ({ aborted: false, reason: null, paused: false, abort: () => void done.push(`${name} is aborted`), pause: () => void done.push(`${name} pauses`), resume: () => void done.push(`${name} resumes`) })

test('an attempt that connects after it was given up is aborted, and is not what is paused and resumed', async () => {
  const second = dispatched(2)
  clock.advance(1_000)
  await second
  const running = controllerOf('attempt 2')
  handlers[1]?.onRequestStart?.(running, null)
  handlers[1]?.onResponseStart?.(running, 200, {}, 'OK')
  handlers[0]?.onRequestStart?.(controllerOf('attempt 1'), null)
  control.pause()
  control.resume()
  expect(done).toEqual(['status 200', 'attempt 1 is aborted', 'attempt 2 pauses', 'attempt 2 resumes'])
})

test('the same after the call is over', () => {
  control.abort(new Error('enough'))
  handlers[0]?.onRequestStart?.(controllerOf('attempt 1'), null)
  control.pause()
  expect(done).toEqual(['Error', 'attempt 1 is aborted'])
})

test('the same where it was answered, and the next one is not made yet', () => {
  const first = controllerOf('attempt 1')
  handlers[0]?.onRequestStart?.(first, null)
  handlers[0]?.onResponseStart?.(first, 503, { 'retry-after': '2' }, '')
  handlers[0]?.onResponseEnd?.(first, {})
  handlers[0]?.onRequestStart?.(controllerOf('attempt 1 again'), null)
  expect(done).toEqual(['attempt 1 again is aborted'])
})
