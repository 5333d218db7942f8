import { describe, expect, test } from 'vitest'
import { planDrain, type DrainOptions } from './plan.js'
import { drainStep, type DrainPhase, type DrainView } from './step.js'

const refuse = planDrain([], { mode: 'refuse-first' })
const announce = planDrain([], { mode: 'announce-first' })
/** The clock does not start at nothing. */
const start = 1_000_000

const view = (changes: Partial<DrainView> = {}): DrainView => ({
  now: start,
  startedAt: start,
  phase: 'ready',
  lastConnectionAt: -Infinity,
  openConnections: 0,
  idleSince: [],
  ...changes,
})

/** A connection as the walks play it: times in milliseconds from the start of the drain. */
interface Played {
  /** [-60,000] */
  readonly opens?: number
  /** From the arrival of a request to the end of its response. */
  readonly requests?: readonly (readonly [from: number, to: number])[]
}

/**
 * Plays a whole drain over connections, and tells what happened when: phases, idle connections that were closed, those
 * that ended with a last response, those that came too late, and those that were cut.
 */
function walk(options: DrainOptions, played: Readonly<Record<string, Played>>): string[] {
  const plan = planDrain([], options)
  const told: string[] = []
  const connections = new Map(Object.entries(played).map(([name, { opens = -60_000, requests = [] }]) => [name, { opens, requests, open: opens <= 0 }]))
  const times = [...connections.values()].flatMap(({ opens, requests }) => [opens, ...requests.flat()]).filter((time) => time > 0)
  const busyAt = (requests: Played['requests'], now: number) => requests?.some(([from, to]) => from <= now && now < to) ?? false
  let phase = 'ready' as DrainPhase
  let now = 0
  let lastConnectionAt = -Infinity

  for (let looks = 0; looks < 1_000; looks++) {
    for (const [name, connection] of connections) {
      if (connection.opens === now && now > 0) {
        if (phase === 'draining') told.push(`${now} ${name} is refused`)
        else [connection.open, lastConnectionAt] = [true, start + now]
      }
      if (phase === 'draining' && connection.open && connection.requests.some(([, to]) => to === now)) {
        connection.open = false
        told.push(`${now} ${name} ends with its response`)
      }
    }
    const open = [...connections].filter(([, connection]) => connection.open)
    const idle = open.filter(([, { requests }]) => !busyAt(requests, now))
    const idleSince = ({ opens, requests }: (typeof open)[number][1]) => start + Math.max(opens, ...requests.flatMap(([, to]) => (to <= now ? [to] : [])))
    const step = drainStep(plan, view({ now: start + now, phase, lastConnectionAt, openConnections: open.length, idleSince: idle.map(([, connection]) => idleSince(connection)) }))

    const before: DrainPhase = phase
    phase = step.phase
    if (phase !== before) told.push(`${now} ${phase}`)
    for (const [name, connection] of idle) {
      if (step.closeIdleSince === undefined || idleSince(connection) > step.closeIdleSince) continue
      connection.open = false
      told.push(`${now} ${name} is closed`)
    }
    if (phase === 'closed') return [...told, ...open.flatMap(([name, connection]) => (connection.open ? [`${now} ${name} is cut`] : []))]
    // The listener has closed, or a connection has gone: both are reasons to look again at once.
    if ((phase === 'draining' && phase !== before) || step.closeIdleSince !== undefined) continue
    now = Math.min(now + (step.lookAgainIn ?? expect.fail('nobody looks again')), ...times.filter((time) => time > now))
  }
  return expect.fail(`the drain did not end: ${told.join(', ')}`)
}

describe('refuse-first, with the default times', () => {
  test.each<[string, Record<string, Played>, string[]]>([
    ['no connections', {}, ['0 draining', '0 closed']],
    ['a connection that has long been idle has the grace from the beginning', { a: {} }, ['0 draining', '1000 a is closed', '1000 closed']],
    ['idle for just the grace', { a: { requests: [[-1_500, -1_000]] } }, ['0 draining', '1000 a is closed', '1000 closed']],
    ['idle for less than the grace', { a: { requests: [[-900, -400]] } }, ['0 draining', '1000 a is closed', '1000 closed']],
    ['opened just before, and never used', { a: { opens: -100 } }, ['0 draining', '1000 a is closed', '1000 closed']],
    [
      'a request within the grace is served, and its response ends the connection',
      { a: { requests: [[-900, -400], [500, 800]] } },
      ['0 draining', '800 a ends with its response', '800 closed'],
    ],
    ['a request that runs', { a: { requests: [[-100, 3_000]] } }, ['0 draining', '3000 a ends with its response', '3000 closed']],
    ['a request that comes just when the drain begins', { a: { requests: [[0, 50]] } }, ['0 draining', '50 a ends with its response', '50 closed']],
    ['a connection that comes afterwards', { a: { requests: [[-100, 3_000]] }, b: { opens: 10 } }, ['0 draining', '10 b is refused', '3000 a ends with its response', '3000 closed']],
    [
      'several at once, each in its own time',
      { old: {}, young: { requests: [[-300, -200]] }, younger: { requests: [[-300, -100]] }, busy: { requests: [[-100, 5_000]] } },
      ['0 draining', '1000 old is closed', '1000 young is closed', '1000 younger is closed', '5000 busy ends with its response', '5000 closed'],
    ],
    ['a request that never ends is cut at the deadline', { a: { requests: [[-100, 90_000]] } }, ['0 draining', '25000 closed', '25000 a is cut']],
  ])('%s', (_what, connections, expected) => {
    expect(walk({ mode: 'refuse-first' }, connections)).toEqual(expected)
  })

  test('a grace beyond the deadline is cut by it', () => {
    expect(walk({ mode: 'refuse-first', idleGrace: '10s', deadline: '2s' }, { a: { opens: -100 } })).toEqual(['0 draining', '2000 closed', '2000 a is cut'])
  })
})

describe('announce-first, with the default times', () => {
  const every = (interval: number, from: number, until: number): Record<string, Played> =>
    Object.fromEntries(Array.from({ length: Math.ceil((until - from) / interval) }, (_, index) => {
      const at = from + index * interval
      return [`probe-${at}`, { opens: at, requests: [[at, at + 1]] } satisfies Played]
    }))

  test.each<[string, Record<string, Played>, string[]]>([
    ['no connections', {}, ['0 announcing', '5000 draining', '5000 closed']],
    ['idle connections are left alone until the listener goes', { a: {}, b: { requests: [[100, 4_400]] } }, ['0 announcing', '5000 draining', '5000 a is closed', '5400 b is closed', '5400 closed']],
    ['a request while announcing does not end its connection', { a: { requests: [[1_000, 2_000], [4_900, 5_200]] } }, ['0 announcing', '5000 draining', '5200 a ends with its response', '5200 closed']],
    ['a connection early on postpones nothing', { a: { opens: 100, requests: [[100, 200]] } }, ['0 announcing', '5000 draining', '5000 a is closed', '5000 closed']],
    ['a connection just before postpones the listener\'s end by the quiet window', { a: { opens: 4_800, requests: [[4_800, 4_900]] } }, ['0 announcing', '5300 draining', '5900 a is closed', '5900 closed']],
    ['a connection a quiet window before postpones nothing', { a: { opens: 4_500, requests: [[4_500, 4_501]] } }, ['0 announcing', '5000 draining', '5501 a is closed', '5501 closed']],
    [
      'each further connection postpones it again',
      { a: { opens: 4_800, requests: [[4_800, 4_900]] }, b: { opens: 5_200, requests: [[5_200, 5_300]] }, c: { opens: 5_650, requests: [[5_650, 5_700]] } },
      ['0 announcing', '6150 draining', '6150 a is closed', '6300 b is closed', '6700 c is closed', '6700 closed'],
    ],
    ['a request that never ends is cut at the deadline', { a: { requests: [[-100, 90_000]] } }, ['0 announcing', '5000 draining', '25000 closed', '25000 a is cut']],
  ])('%s', (_what, connections, expected) => {
    expect(walk({ mode: 'announce-first' }, connections)).toEqual(expected)
  })

  test('a health check that connects anew every 200 ms never leaves a quiet window: half of the time that is left is kept for draining', () => {
    const told = walk({ mode: 'announce-first' }, { ...every(200, 200, 25_000), order: { requests: [[-100, 20_000]] } })
    expect(told.filter((line) => !line.includes('probe'))).toEqual(['0 announcing', '15250 draining', '20000 order ends with its response', '20000 closed'])
    expect(told).toContain('15400 probe-15400 is refused')
  })

  test('with no time to announce and no window, the listener goes at once', () => {
    expect(walk({ mode: 'announce-first', announceFor: 0, quietWindow: 0 }, {})).toEqual(['0 draining', '0 closed'])
  })

  test('with a window only, it goes as soon as it is quiet', () => {
    expect(walk({ mode: 'announce-first', announceFor: 0 }, { a: { opens: 0 } })).toEqual(['0 draining', '1000 a is closed', '1000 closed'])
  })
})

describe('one step', () => {
  test.each<DrainPhase>(['ready', 'announcing', 'draining', 'closed'])('at the deadline, from %s, is the end, whatever there is', (phase) => {
    for (const plan of [refuse, announce]) {
      for (const now of [start + 25_000, start + 99_000]) {
        expect(drainStep(plan, view({ phase, now, openConnections: 3, idleSince: [now], lastConnectionAt: now }))).toEqual({ phase: 'closed' })
      }
    }
  })

  test('just before the deadline is not the end, and looks again at it', () => {
    for (const plan of [refuse, announce]) {
      const last = view({ phase: 'draining', now: start + 24_999.5, openConnections: 1 })
      expect(drainStep(plan, last)).toEqual({ phase: 'draining', lookAgainIn: 1 })
    }
  })

  test('after the end says nothing new, and asks for no further look', () => {
    expect(drainStep(refuse, view({ phase: 'closed', openConnections: 5, idleSince: [0] }))).toEqual({ phase: 'closed' })
  })

  test('that stops accepting is not the last one, even with no connection open: some may come out of the kernel yet', () => {
    expect(drainStep(refuse, view())).toEqual({ phase: 'draining', lookAgainIn: 25_000 })
    expect(drainStep(refuse, view({ phase: 'draining' }))).toEqual({ phase: 'closed' })
    expect(drainStep(refuse, view({ phase: 'draining', openConnections: 1 })).phase).toBe('draining')
  })

  test('never goes back to announcing: a connection that came late out of the kernel does not reopen the listener', () => {
    const late = view({ phase: 'draining', now: start + 6_000, lastConnectionAt: start + 6_000, openConnections: 1, idleSince: [start + 6_000] })
    expect(drainStep(announce, late)).toEqual({ phase: 'draining', lookAgainIn: 1_000 })
  })

  test('says which idle connections are due, and when the next one is', () => {
    const now = start + 2_000
    expect(drainStep(refuse, view({ phase: 'draining', now, openConnections: 4, idleSince: [now - 1_500, now - 1_000, now - 999.5, now - 1] }))).toEqual({
      phase: 'draining',
      closeIdleSince: now - 1_000,
      lookAgainIn: 1,
    })
    expect(drainStep(refuse, view({ phase: 'draining', now, openConnections: 4, idleSince: [now - 1] }))).toEqual({ phase: 'draining', lookAgainIn: 999 })
    expect(drainStep(refuse, view({ phase: 'draining', now, openConnections: 4 }))).toEqual({ phase: 'draining', lookAgainIn: 23_000 })
  })

  test('takes more idle connections than a call takes arguments', () => {
    const idleSince = Array.from({ length: 300_000 }, (_, index) => start - (index % 900))
    expect(drainStep(refuse, view({ phase: 'draining', openConnections: idleSince.length, idleSince }))).toEqual({ phase: 'draining', lookAgainIn: 1_000 })
  })

  test('of an unchanged view is the same, and taken twice leads nowhere else', () => {
    for (const plan of [refuse, announce]) {
      for (const phase of ['ready', 'announcing', 'draining', 'closed'] as const) {
        for (const after of [0, 1, 4_999, 5_000, 5_400.5, 15_249, 15_250, 24_999, 25_000]) {
          for (const openConnections of [0, 2]) {
            for (const lastConnectionAt of [-Infinity, start + after - 100, start + after]) {
              const now = start + after
              const seen = Object.freeze(view({ phase, now, openConnections, lastConnectionAt, idleSince: openConnections === 0 ? [] : Object.freeze([now - 1_001, now - 10]) as number[] }))
              const step = drainStep(plan, seen)
              expect(drainStep(plan, seen)).toEqual(step)
              const again = drainStep(plan, { ...seen, phase: step.phase })
              const order: DrainPhase[] = ['ready', 'announcing', 'draining', 'closed']
              expect(order.indexOf(step.phase)).toBeGreaterThanOrEqual(order.indexOf(phase))
              if (openConnections > 0 || step.phase !== 'draining') expect(again).toEqual(step)
              else expect(again.phase).toBe('closed')
              expect('lookAgainIn' in step).toBe(step.phase !== 'closed')
            }
          }
        }
      }
    }
  })
})
