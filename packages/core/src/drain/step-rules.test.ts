import { describe, expect, test } from 'vitest'
import { duration } from '../duration.js'
import { defineChain } from '../policy/chain.js'
import { planDrain, type DrainPlan } from './plan.js'
import { drainStep, type DrainPhase, type DrainStep, type DrainView } from './step.js'

const start = 1_000_000
const phases: readonly DrainPhase[] = ['ready', 'announcing', 'draining', 'closed']

describe('every step', () => {
  const plans = [
    planDrain([]),
    planDrain([], { mode: 'announce-first' }),
    planDrain(defineChain(['nginx'])),
    planDrain(defineChain(['nginx']), { deadline: 100 }),
    planDrain([], { mode: 'announce-first', announceFor: 0, quietWindow: 0, idleGrace: 0 }),
    { ...planDrain([], { mode: 'announce-first' }), deadline: duration('2s') },
  ]
  const views = (plan: DrainPlan): DrainView[] =>
    [0, 0.01, 0.2, 0.2006, 0.4999, 0.61, 0.75, 0.949, 0.96, 0.99999, 1].flatMap((part) =>
      phases.flatMap((phase) =>
        [true, false].flatMap((listening) =>
          [0, 2].flatMap((openConnections) =>
            [-Infinity, -100, -10, 0].map((before) => {
              const now = start + part * plan.deadline
              const idleSince = Object.freeze(openConnections === 0 ? [] : [now - 30_000, now - 10])
              return Object.freeze({ now, startedAt: start, phase, listening, openConnections, lastConnectionAt: now + before, idleSince })
            })))))
  const check = (judge: (plan: DrainPlan, seen: DrainView, step: DrainStep) => boolean) => {
    for (const plan of plans) {
      for (const seen of views(plan)) {
        const step = drainStep(plan, seen)
        if (!judge(plan, seen, step)) expect.fail(`${JSON.stringify(seen)} gives ${JSON.stringify(step)}`)
      }
    }
  }
  const same = (a: DrainStep, b: DrainStep) => JSON.stringify(a) === JSON.stringify(b)

  test.each<[string, (plan: DrainPlan, seen: DrainView, step: DrainStep) => boolean]>([
    ['is the same for the same view, which it does not touch', (plan, seen, step) => same(drainStep(plan, seen), step)],
    [
      'taken twice leads nowhere else, but to the end where nothing is left',
      (plan, seen, step) => {
        const again = drainStep(plan, { ...seen, phase: step.phase })
        return step.phase === 'draining' && seen.openConnections === 0 ? again.phase === 'closed' : same(again, step)
      },
    ],
    ['leads forward or stays', (_plan, { phase }, step) => phases.indexOf(step.phase) >= phases.indexOf(phase) && step.phase !== 'ready'],
    ['announces as long as the listener is open, unless it drains already', (_plan, { phase, listening }, step) => step.phase !== 'announcing' || (listening && phase !== 'draining')],
    ['asks the listener to close only while announcing', (_plan, _seen, step) => !('stopAccepting' in step) || (step.stopAccepting === true && step.phase === 'announcing')],
    ['closes idle connections only while draining', (_plan, _seen, step) => !('closeIdleSince' in step) || step.phase === 'draining'],
    ['closes only what is there', (_plan, { idleSince }, { closeIdleSince }) => closeIdleSince === undefined || idleSince.includes(closeIdleSince)],
    ['names a time for the next look, but for the end', (_plan, _seen, { phase, lookAgainIn }) => (phase === 'closed' ? lookAgainIn === undefined : Number.isInteger(lookAgainIn) && Number(lookAgainIn) >= 0)],
    ['looks again no later than at the deadline', (plan, { now }, { lookAgainIn = 0 }) => now + lookAgainIn < start + plan.deadline + 1],
    ['looks again at once only where nothing is left', (_plan, { openConnections }, { lookAgainIn }) => lookAgainIn !== 0 || openConnections === 0],
  ])('%s', (_what, judge) => {
    check(judge)
  })
})
