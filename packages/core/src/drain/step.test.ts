import { describe, expect, test } from 'vitest'
import { duration } from '../duration.js'
import { defineChain } from '../policy/chain.js'
import { planDrain, type DrainPlan } from './plan.js'
import { drainStep, type DrainPhase, type DrainView } from './step.js'

const refuse = planDrain([], { mode: 'refuse-first' })
const announce = planDrain([], { mode: 'announce-first' })
const behindNginx = planDrain(defineChain(['nginx']))
/** The clock does not start at nothing. */
const start = 1_000_000
const phases: readonly DrainPhase[] = ['ready', 'announcing', 'draining', 'closed']

const view = (changes: Partial<DrainView> = {}): DrainView => ({
  now: start,
  startedAt: start,
  phase: 'ready',
  listening: true,
  lastConnectionAt: -Infinity,
  openConnections: 0,
  idleSince: [],
  ...changes,
})
const draining = (changes: Partial<DrainView> = {}): DrainView => view({ phase: 'draining', listening: false, ...changes })

/** A connection as the walks play it: times in milliseconds from the start of the drain. */
interface Played {
  /** [-60,000] */
  readonly opens?: number
  /** From the arrival of a request to the end of its response. */
  readonly requests?: readonly (readonly [from: number, to: number])[]
}

/** The listener as the walks play it. */
interface PlayedListener {
  /** Whether it is open when the drain begins. [true] */
  readonly open?: boolean
  /** How long it takes to close, once it was asked to. [0] */
  readonly closesAfter?: number
}

/**
 * Plays a whole drain over connections, and tells what happened when: phases, the listener that was asked to close, idle
 * connections that were closed, those that ended with a last response, those that came too late, and those that were cut.
 */
function walk(plan: DrainPlan, played: Readonly<Record<string, Played>>, { open: listens = true, closesAfter = 0 }: PlayedListener = {}): string[] {
  const told: string[] = []
  const connections = Object.entries(played).map(([name, { opens = -60_000, requests = [] }]) => ({ name, opens, requests, open: opens <= 0 }))
  const times = connections.flatMap(({ opens, requests }) => [opens, ...requests.flat()])
  let phase = 'ready' as DrainPhase
  let listening = listens
  let closesAt: number | undefined
  let lastConnectionAt = Math.max(...connections.filter(({ open }) => open).map(({ opens }) => opens), -Infinity)
  let now = 0
  type Connection = (typeof connections)[number]
  const isBusy = ({ requests }: Connection) => requests.some(([from, to]) => from <= now && now < to)
  const lastActive = ({ opens, requests }: Connection) => Math.max(opens, ...requests.flatMap(([, to]) => (to <= now ? [to] : [])))
  const end = (connection: Connection, how: string) => {
    connection.open = false
    told.push(`${now} ${connection.name} ${how}`)
  }
  const happen = () => {
    if (closesAt !== undefined && closesAt <= now) listening = false
    for (const connection of connections) {
      if (connection.opens === now && listening) [connection.open, lastConnectionAt] = [true, now]
      else if (connection.opens === now) end(connection, 'is refused')
      if (phase === 'draining' && connection.open && connection.requests.some(([, to]) => to === now)) end(connection, 'ends with its response')
    }
  }

  for (let looks = 0; looks < 10_000; looks++) {
    const open = connections.filter((connection) => connection.open)
    const idle = open.filter((connection) => !isBusy(connection))
    const idleSince = idle.map((connection) => start + lastActive(connection))
    const step = drainStep(plan, view({ now: start + now, phase, listening, lastConnectionAt: start + lastConnectionAt, openConnections: open.length, idleSince }))
    const entered = step.phase !== phase
    phase = step.phase
    if (entered) told.push(`${now} ${phase}`)
    const { closeIdleSince } = step
    const due = idle.filter((connection) => closeIdleSince !== undefined && start + lastActive(connection) <= closeIdleSince)
    for (const connection of due) end(connection, 'is closed')
    if (phase === 'closed') return [...told, ...open.flatMap(({ open: isLeft, name }) => (isLeft ? [`${now} ${name} is cut`] : []))]
    if (step.stopAccepting && closesAt === undefined) {
      told.push(`${now} stops accepting`)
      closesAt = now + closesAfter
    }
    // What has changed is a reason to look again at once.
    const closes = listening && closesAt !== undefined && closesAt <= now
    if (closes) listening = false
    if (entered || closes || due.length > 0) continue
    const next = now + (step.lookAgainIn ?? expect.fail('nobody looks again'))
    now = Math.min(next, ...[...times, closesAt ?? Infinity].filter((time) => time > now))
    happen()
  }
  return expect.fail(`the drain did not end: ${told.join(', ')}`)
}

const every = (interval: number, from: number, until: number): Record<string, Played> =>
  Object.fromEntries(Array.from({ length: Math.ceil((until - from) / interval) }, (_, index) => {
    const at = from + index * interval
    return [`probe-${at}`, { opens: at, requests: [[at, at + 1]] } satisfies Played]
  }))

describe('refuse-first, with the default times', () => {
  const atOnce = ['0 announcing', '0 stops accepting', '0 draining']

  test.each<[string, Record<string, Played>, string[]]>([
    ['no connections', {}, [...atOnce, '0 closed']],
    ['a connection that has long been idle has the first second', { a: {} }, [...atOnce, '1000 a is closed', '1000 closed']],
    ['idle for just the grace', { a: { requests: [[-1_500, -1_000]] } }, [...atOnce, '1000 a is closed', '1000 closed']],
    ['idle for less than the grace', { a: { requests: [[-900, -400]] } }, [...atOnce, '1000 a is closed', '1000 closed']],
    ['opened shortly before, and never used', { a: { opens: -100 } }, [...atOnce, '1000 a is closed', '1000 closed']],
    ['a request within the grace is served, and its response ends the connection', { a: { requests: [[-900, -400], [500, 800]] } }, [...atOnce, '800 a ends with its response', '800 closed']],
    ['a request that runs', { a: { requests: [[-100, 3_000]] } }, [...atOnce, '3000 a ends with its response', '3000 closed']],
    ['a request that comes just when the drain begins', { a: { requests: [[0, 50]] } }, [...atOnce, '50 a ends with its response', '50 closed']],
    ['a connection that comes afterwards', { a: { requests: [[-100, 3_000]] }, b: { opens: 10 } }, [...atOnce, '10 b is refused', '3000 a ends with its response', '3000 closed']],
    [
      'several at once, each in its own time',
      { old: {}, young: { requests: [[-300, -200]] }, younger: { requests: [[-300, -100]] }, busy: { requests: [[-100, 5_000]] } },
      [...atOnce, '1000 old is closed', '1000 young is closed', '1000 younger is closed', '5000 busy ends with its response', '5000 closed'],
    ],
    ['a request that never ends is cut at the deadline', { a: { requests: [[-100, 90_000]] } }, [...atOnce, '25000 closed', '25000 a is cut']],
  ])('%s', (_what, connections, expected) => {
    expect(walk(refuse, connections)).toEqual(expected)
  })

  test.each<[string, Record<string, Played>, string[]]>([
    ['20 ms after a connection that came just before', { a: { opens: -5 } }, ['0 announcing', '15 stops accepting', '15 draining', '1000 a is closed', '1000 closed']],
    ['at once, where that was 20 ms before', { a: { opens: -20 } }, [...atOnce, '1000 a is closed', '1000 closed']],
    [
      '20 ms after the last one of several',
      { a: { opens: -5 }, b: { opens: 10 }, c: { opens: 29 }, d: { opens: 50 } },
      ['0 announcing', '49 stops accepting', '49 draining', '50 d is refused', '1000 a is closed', '1010 b is closed', '1029 c is closed', '1029 closed'],
    ],
    ['after half a second, where it is never quiet', every(15, 0, 530), ['0 announcing', '500 stops accepting', '500 draining', '510 probe-510 is refused', '525 probe-525 is refused']],
  ])('the listener stops %s', (_what, connections, expected) => {
    expect(walk(refuse, connections).slice(0, expected.length)).toEqual(expected)
  })

  test.each<[string, Record<string, Played>, PlayedListener, string[]]>([
    ['what comes meanwhile is accepted, and has its grace', { a: { opens: 10 } }, { closesAfter: 30 }, ['0 announcing', '0 stops accepting', '30 draining', '1010 a is closed', '1010 closed']],
    ['a response meanwhile does not end its connection', { a: { requests: [[-50, 60]] } }, { closesAfter: 100 }, ['0 announcing', '0 stops accepting', '100 draining', '1060 a is closed', '1060 closed']],
    ['a response right then does not either', { a: { requests: [[-50, 100]] } }, { closesAfter: 100 }, ['0 announcing', '0 stops accepting', '100 draining', '1100 a is closed', '1100 closed']],
    ['nothing idle is closed meanwhile, but right then', { a: {} }, { closesAfter: 3_000 }, ['0 announcing', '0 stops accepting', '3000 draining', '3000 a is closed', '3000 closed']],
    ['with nothing open the drain waits for it all the same', {}, { closesAfter: 200 }, ['0 announcing', '0 stops accepting', '200 draining', '200 closed']],
    ['where it never closes, the deadline ends the drain', { a: {} }, { closesAfter: Infinity }, ['0 announcing', '0 stops accepting', '25000 closed', '25000 a is cut']],
  ])('while the listener closes, %s', (_what, connections, listener, expected) => {
    expect(walk(refuse, connections, listener)).toEqual(expected)
  })
})

describe('where the grace is longer than the deadline', () => {
  const begin = ['0 announcing', '0 stops accepting', '0 draining']

  test('the longest idle connection goes first, each before the deadline', () => {
    const connections: Record<string, Played> = {
      recent: { requests: [[-100, -50]] },
      forgotten: {},
      used: { requests: [[-2_000, -1_900], [20_000, 20_500]] },
      busy: { requests: [[-100, 24_500]] },
      older: { requests: [[-30_000, -29_900]] },
      stuck: { requests: [[-2_000, -1_900], [10_000, 90_000]] },
    }
    expect(walk(behindNginx, connections)).toEqual([
      ...begin,
      '3000 forgotten is closed',
      '20037 older is closed',
      '20500 used ends with its response',
      '22232 recent is closed',
      '24500 busy ends with its response',
      '25000 closed',
      '25000 stuck is cut',
    ])
  })

  test('a short deadline has a short end', () => {
    expect(walk(planDrain([], { idleGrace: '10s', deadline: '2s' }), { a: { opens: -100 } })).toEqual([...begin, '1805 a is closed', '1805 closed'])
  })

  test('the shortest deadline has the shortest one, and looks for a quiet moment in its first quarter only', () => {
    const shortest = planDrain(defineChain(['nginx']), { deadline: 100 })
    expect(walk(shortest, { a: {}, b: { opens: -1 } })).toEqual(['0 announcing', '19 stops accepting', '19 draining', '72 a is closed', '95 b is closed', '95 closed'])
    expect(walk(shortest, every(15, 0, 30)).slice(0, 3)).toEqual(['0 announcing', '25 stops accepting', '25 draining'])
  })

  test('without a grace idle connections go as soon as the listener is closed', () => {
    const none = planDrain([], { idleGrace: 0 })
    expect(walk(none, { a: {}, b: { requests: [[-10, 40]] } })).toEqual([...begin, '0 a is closed', '40 b ends with its response', '40 closed'])
    expect(walk(none, { a: {}, b: { opens: 3 } }, { closesAfter: 7 })).toEqual(['0 announcing', '0 stops accepting', '7 draining', '7 a is closed', '7 b is closed', '7 closed'])
  })
})

describe('announce-first, with the default times', () => {
  const begin = (at: number) => ['0 announcing', `${at} stops accepting`, `${at} draining`]

  test.each<[string, Record<string, Played>, string[]]>([
    ['no connections', {}, [...begin(5_000), '5000 closed']],
    ['idle connections are left alone until the listener goes', { a: {}, b: { requests: [[100, 4_400]] } }, [...begin(5_000), '5000 a is closed', '5400 b is closed', '5400 closed']],
    ['a request while announcing does not end its connection', { a: { requests: [[1_000, 2_000], [4_900, 5_200]] } }, [...begin(5_000), '5200 a ends with its response', '5200 closed']],
    ['a connection early on postpones nothing', { a: { opens: 100, requests: [[100, 200]] } }, [...begin(5_000), '5000 a is closed', '5000 closed']],
    ['a connection just before postpones the listener\'s end by the quiet window', { a: { opens: 4_800, requests: [[4_800, 4_900]] } }, [...begin(5_300), '5900 a is closed', '5900 closed']],
    ['a connection a quiet window before postpones nothing', { a: { opens: 4_500, requests: [[4_500, 4_501]] } }, [...begin(5_000), '5501 a is closed', '5501 closed']],
    [
      'each further connection postpones it again',
      { a: { opens: 4_800, requests: [[4_800, 4_900]] }, b: { opens: 5_200, requests: [[5_200, 5_300]] }, c: { opens: 5_650, requests: [[5_650, 5_700]] } },
      [...begin(6_150), '6150 a is closed', '6300 b is closed', '6700 c is closed', '6700 closed'],
    ],
    ['a request that never ends is cut at the deadline', { a: { requests: [[-100, 90_000]] } }, [...begin(5_000), '25000 closed', '25000 a is cut']],
  ])('%s', (_what, connections, expected) => {
    expect(walk(announce, connections)).toEqual(expected)
  })

  test('while the listener closes, connections are accepted and kept as before', () => {
    const connections: Record<string, Played> = { a: {}, b: { opens: 5_100, requests: [[5_100, 5_200]] }, c: { opens: 5_300 } }
    expect(walk(announce, connections, { closesAfter: 300 })).toEqual(['0 announcing', '5000 stops accepting', '5300 c is refused', '5300 draining', '5300 a is closed', '6200 b is closed', '6200 closed'])
  })

  test('a health check that connects anew every 200 ms never leaves a quiet window: half of the time that is left is kept for draining', () => {
    const told = walk(announce, { ...every(200, 200, 25_000), order: { requests: [[-100, 20_000]] } })
    expect(told.filter((line) => !line.includes('probe'))).toEqual([...begin(15_250), '20000 order ends with its response', '20000 closed'])
    expect(told).toContain('15400 probe-15400 is refused')
  })

  test('with no time to announce and no window, the listener goes at once', () => {
    expect(walk(planDrain([], { mode: 'announce-first', announceFor: 0, quietWindow: 0 }), { a: { opens: 0 } })).toEqual([...begin(0), '1000 a is closed', '1000 closed'])
  })

  test('with a window only, it goes as soon as it is quiet', () => {
    const windowOnly = planDrain([], { mode: 'announce-first', announceFor: 0 })
    expect(walk(windowOnly, { a: {} })).toEqual([...begin(0), '1000 a is closed', '1000 closed'])
    expect(walk(windowOnly, { a: { opens: -100 } })).toEqual([...begin(400), '1000 a is closed', '1000 closed'])
  })

  test.each([
    ['2s', 1_000],
    ['5s', 2_500],
    ['5500ms', 2_750],
    ['6s', 5_000],
  ] as const)('a deadline that was brought nearer, to %s, keeps time for draining: the listener goes at %i ms', (deadline, at) => {
    expect(walk({ ...announce, deadline: duration(deadline) }, { a: { requests: [[-100, at + 1]] } })).toEqual([...begin(at), `${at + 1} a ends with its response`, `${at + 1} closed`])
  })
})

describe('a drain without a listener', () => {
  test.each([['refuse-first', refuse], ['announce-first', announce], ['refuse-first behind nginx', behindNginx]])('announces nothing: %s', (_mode, plan) => {
    expect(walk(plan, {}, { open: false })).toEqual(['0 draining', '0 closed'])
    expect(walk(plan, { a: { requests: [[-10, 40]] } }, { open: false })).toEqual(['0 draining', '40 a ends with its response', '40 closed'])
  })
})

describe('one step', () => {
  test.each(phases)('at the deadline, from %s, is the end, whatever there is', (phase) => {
    for (const plan of [refuse, announce, behindNginx]) {
      for (const now of [start + 25_000, start + 99_000]) {
        for (const listening of [true, false]) {
          expect(drainStep(plan, view({ phase, now, listening, openConnections: 3, idleSince: [now], lastConnectionAt: now }))).toEqual({ phase: 'closed' })
        }
      }
    }
  })

  test('just before the deadline is not the end, and looks again at it', () => {
    for (const plan of [refuse, announce]) {
      const now = start + 24_999.5
      expect(drainStep(plan, draining({ now, openConnections: 1 }))).toEqual({ phase: 'draining', lookAgainIn: 1 })
      expect(drainStep(plan, view({ phase: 'announcing', now }))).toEqual({ phase: 'announcing', stopAccepting: true, lookAgainIn: 1 })
    }
  })

  test('after the end says nothing new, and asks for no further look', () => {
    expect(drainStep(refuse, view({ phase: 'closed', openConnections: 5, idleSince: [0] }))).toEqual({ phase: 'closed' })
  })

  test('that stops accepting is not the last one, even with no connection open: some may come out of the kernel yet', () => {
    expect(drainStep(refuse, view())).toEqual({ phase: 'announcing', stopAccepting: true, lookAgainIn: 25_000 })
    expect(drainStep(refuse, view({ phase: 'announcing', listening: false }))).toEqual({ phase: 'draining', lookAgainIn: 0 })
    expect(drainStep(refuse, draining())).toEqual({ phase: 'closed' })
    expect(drainStep(refuse, draining({ openConnections: 1 })).phase).toBe('draining')
  })

  test('takes back that it stops accepting, where a connection came after all', () => {
    const now = start + 30
    expect(drainStep(refuse, view({ phase: 'announcing', now, lastConnectionAt: now - 20 })).stopAccepting).toBe(true)
    expect(drainStep(refuse, view({ phase: 'announcing', now, lastConnectionAt: now - 3 }))).toEqual({ phase: 'announcing', lookAgainIn: 17 })
  })

  test('never goes back to announcing: not for a connection that came late out of the kernel, not for a listener that was opened anew', () => {
    const late = draining({ now: start + 6_000, lastConnectionAt: start + 6_000, openConnections: 1, idleSince: [start + 6_000] })
    expect(drainStep(announce, late)).toEqual({ phase: 'draining', lookAgainIn: 1_000 })
    expect(drainStep(announce, { ...late, listening: true })).toEqual({ phase: 'draining', lookAgainIn: 1_000 })
    expect(drainStep(announce, draining({ listening: true }))).toEqual({ phase: 'closed' })
  })

  test('says which idle connections are due, and when the next one is', () => {
    const now = start + 2_000
    expect(drainStep(refuse, draining({ now, openConnections: 4, idleSince: [now - 1_500, now - 1_000, now - 999.5, now - 1] }))).toEqual({
      phase: 'draining',
      closeIdleSince: now - 1_000,
      lookAgainIn: 1,
    })
    expect(drainStep(refuse, draining({ now, openConnections: 4, idleSince: [now - 1] }))).toEqual({ phase: 'draining', lookAgainIn: 999 })
    expect(drainStep(refuse, draining({ now, openConnections: 4 }))).toEqual({ phase: 'draining', lookAgainIn: 23_000 })
  })

  test('closes what is due in the very step in which draining is entered', () => {
    const now = start + 5_000
    expect(drainStep(announce, view({ phase: 'announcing', listening: false, now, openConnections: 2, idleSince: [start, now - 400] }))).toEqual({
      phase: 'draining',
      closeIdleSince: start,
      lookAgainIn: 600,
    })
  })

  test('looks again at the deadline, where nothing is known of the one idle connection', () => {
    expect(drainStep(refuse, draining({ openConnections: 1, idleSince: [Number.NaN] }))).toEqual({ phase: 'draining', lookAgainIn: 25_000 })
  })

  test('takes a last connection from the future as one that came just now, again and again', () => {
    expect(drainStep(refuse, view({ lastConnectionAt: Infinity }))).toEqual({ phase: 'announcing', lookAgainIn: 500 })
    expect(drainStep(announce, view({ lastConnectionAt: Infinity }))).toEqual({ phase: 'announcing', lookAgainIn: 15_250 })
  })

  test('takes more idle connections than a call takes arguments', () => {
    const idleSince = Array.from({ length: 300_000 }, (_, index) => start - (index % 900))
    expect(drainStep(refuse, draining({ openConnections: idleSince.length, idleSince }))).toEqual({ phase: 'draining', lookAgainIn: 1_000 })
  })
})

describe('walks at random', () => {
  const plans = [
    refuse,
    announce,
    behindNginx,
    planDrain(defineChain(['nginx']), { deadline: '1s' }),
    planDrain(defineChain(['nginx', 'alb']), { idleGrace: '24h', deadline: '8s' }),
    planDrain([], { idleGrace: 0, deadline: '5s' }),
  ]
  /** Numbers from 0 up to 1, the same ones for the same seed. */
  const numbers = (seed: number) => {
    let state = seed
    return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
  }
  const drawn = (random: () => number, deadline: number): Record<string, Played> =>
    Object.fromEntries(Array.from({ length: Math.floor(random() * 9) }, (_, index) => {
      const opens = Math.round(random() < 0.7 ? random() * -70_000 : 1 + random() * deadline)
      const times = Array.from({ length: 2 * Math.floor(random() * 4) }, () => Math.round(opens + 1 + random() * (deadline - opens))).toSorted((a, b) => a - b)
      return [`c${index}`, { opens, requests: times.flatMap((from, at) => (at % 2 === 0 ? [[from, (times[at + 1] ?? 0) + 1] as const] : [])) }]
    }))

  test.each(plans.map((plan) => [plan.mode, plan.idleGrace, plan.deadline, plan] as const))('%s with a grace of %i ms and a deadline of %i ms keep the rules', (_mode, idleGrace, deadline, plan) => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = numbers(seed)
      const connections = drawn(random, deadline)
      const told = walk(plan, connections, { closesAfter: [0, 0, 7, 300][seed % 4] ?? 0 })
      const lines = told.map((line) => ({ line, at: Number.parseInt(line, 10), what: line.replace(/^\d+ (?:c\d+ )?/, '') }))
      const where = (word: string) => lines.findIndex(({ what }) => what === word)
      const fail = (why: string) => expect.fail(`seed ${seed}: ${why}: ${told.join(', ')}`)
      if (lines.some(({ at }, index) => at < (lines[index - 1]?.at ?? 0) || at > deadline)) fail('out of time')
      const stages = lines.map(({ what }) => what).filter((what) => ['announcing', 'stops accepting', 'draining', 'closed'].includes(what))
      if (stages.join() !== 'announcing,stops accepting,draining,closed') fail('not the phases in their order')
      if (lines.slice(0, where('draining')).some(({ what }) => what === 'is closed' || what.startsWith('ends'))) fail('a connection ended before the listener')
      const first = Math.min(1_000, idleGrace, deadline * 0.7)
      if (lines.some(({ at, what }) => what === 'is closed' && at < first)) fail('an idle connection ended in the first moment')
      for (const { line, what } of lines) {
        const { requests = [] } = connections[line.split(' ')[1] ?? ''] ?? {}
        if (what === 'is cut' && !requests.some(([from, to]) => from <= deadline && deadline < to)) fail('an idle connection was cut')
      }
    }
  })
})
