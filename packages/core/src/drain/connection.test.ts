import { expect, test } from 'vitest'
import { connectionDecision } from './connection.js'
import type { DrainPhase } from './step.js'

test.each<[DrainPhase, number, 'keep' | 'close']>([
  ['ready', 0, 'keep'],
  ['ready', 3, 'keep'],
  ['announcing', 0, 'keep'],
  ['announcing', 3, 'keep'],
  ['draining', 0, 'close'],
  ['draining', 1, 'keep'],
  ['draining', 3, 'keep'],
  ['closed', 0, 'close'],
  ['closed', 1, 'keep'],
])('%s with %i requests behind: %s', (phase, pipelinedBehind, decision) => {
  expect(connectionDecision({ phase, pipelinedBehind })).toBe(decision)
})

test('of pipelined responses while draining exactly the last one says close', () => {
  const waiting = 5
  const decisions = Array.from({ length: waiting }, (_, sent) => connectionDecision({ phase: 'draining', pipelinedBehind: waiting - 1 - sent }))
  expect(decisions).toEqual(['keep', 'keep', 'keep', 'keep', 'close'])
})
