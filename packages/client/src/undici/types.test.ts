import { expect, expectTypeOf, test } from 'vitest'
import type { Dispatcher as Dispatcher6 } from 'undici6'
import type { Dispatcher as Dispatcher7 } from 'undici7'
import type { Dispatcher as Dispatcher8 } from 'undici8'
import { hopwise } from './index.js'

test('the interceptor fits compose() of undici 6, 7 and 8', () => {
  const interceptor = hopwise()
  expectTypeOf(interceptor).toExtend<Dispatcher6.DispatcherComposeInterceptor>()
  expectTypeOf(interceptor).toExtend<Dispatcher7.DispatcherComposeInterceptor>()
  expectTypeOf(interceptor).toExtend<Dispatcher8.DispatcherComposeInterceptor>()
  expect(interceptor).toBeTypeOf('function')
})
