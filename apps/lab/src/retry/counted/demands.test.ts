import { describe, expect, test } from 'vitest'
import { unmetOfFigure } from './demands.js'
import type { DeadSocketsFigure, LossesFigure, OutageFigure } from './figures.js'
import { againstTarget } from './target.js'

const node: LossesFigure = {
  client: 'hopwise', runtime: 'node24', figure: 'losses', budget: 'default', losses: 3_000, losses_wanted: 3_000, post_lost: 1_000, post_doubled: 0,
  keyed_lost: 1_000, keyed_recovered: 1_000, keyed_sent_twice: 1_000, keyed_sent_more: 0, get_lost: 1_000, get_recovered: 1_000,
  get_repair_p99_ms: 6, plain_get_p99_ms: 2, repair_to_plain: 3, plain_failed: 0, answered: 5_000, sent_again: 2_000,
}
const deno: LossesFigure = { ...node, runtime: 'deno', get_repair_p99_ms: 55, sent_again: 30 }
/** 4,500 answers are 450 tokens, and ten were there. */
const bun: LossesFigure = { ...node, runtime: 'bun', answered: 4_500, keyed_recovered: 458, keyed_sent_twice: 458, sent_again: 458 }
const bunWithout: LossesFigure = { ...bun, budget: 'none', keyed_recovered: 1_000, keyed_sent_twice: 1_000, answered: 5_000, sent_again: 1_000 }
const recovered = (count: number): Partial<LossesFigure> => ({ keyed_recovered: count, keyed_sent_twice: count })

const dead: DeadSocketsFigure = { client: 'hopwise', runtime: 'node24', figure: 'dead-sockets', sockets: 10, method: 'GET', sends: 2, outcome: 'status 200', ms: 20 }
const deadOnDeno: DeadSocketsFigure = { ...dead, runtime: 'deno', sends: 3, bare_sends: 2, bare_outcome: 'ERR TypeError' }
const deadOnBun: DeadSocketsFigure = { ...dead, runtime: 'bun', sends: 11, bare_sends: 11, bare_outcome: 'status 200' }
const outage: OutageFigure = { client: 'hopwise', runtime: 'node24', figure: 'outage', outage: 'reset', calls: 1_000, sends: 1_010, sends_a_call: 1.01, good: 0 }

describe('lost calls', () => {
  test.each<[string, LossesFigure]>([
    ['Node', node],
    ['Node on a busy machine', { ...node, get_repair_p99_ms: 124, plain_get_p99_ms: 20 }],
    ['Deno', deno],
    ['Bun', bun],
    ['Bun, as few as the budget may leave', { ...bun, ...recovered(450) }],
    ['Bun, all that the budget has', { ...bun, ...recovered(460) }],
    ['Bun, where there are more tokens than losses', { ...bun, answered: 20_000, ...recovered(1_000) }],
    ['Bun without a budget', bunWithout],
  ])('right: %s', (_what, figure) => {
    expect(unmetOfFigure(figure)).toEqual([])
  })

  test.each<[string, LossesFigure, Partial<LossesFigure>]>([
    ['Node: none', node, recovered(0)],
    ['Node: all but one', node, recovered(999)],
    ['Deno: none', deno, recovered(0)],
    ['Deno: all but one', deno, recovered(999)],
    ['Bun: none', bun, recovered(0)],
    ['Bun: half of what the budget has', bun, recovered(229)],
    ['Bun: one fewer than the budget has', bun, recovered(449)],
    ['Bun: more than the budget has', bun, recovered(461)],
    ['Bun: none, with tokens for all', bun, { answered: 20_000, ...recovered(0) }],
    ['Bun without a budget: none', bunWithout, recovered(0)],
    ['Bun without a budget: half', bunWithout, recovered(500)],
    ['Bun without a budget: all but one', bunWithout, recovered(999)],
  ])('wrong, POSTs with a key recovered: %s', (_what, figure, change) => {
    expect(unmetOfFigure({ ...figure, ...change })).toEqual([expect.stringMatching(/^hopwise on \w+: of 1000 lost POSTs with a key \d+ were recovered; \d+ to \d+ are right: /)])
  })

  test.each<[string, LossesFigure, Partial<LossesFigure>]>([
    ...([node, deno, bun, bunWithout] as const).flatMap((figure): [string, LossesFigure, Partial<LossesFigure>][] => [
      [`${figure.runtime}: by three sends`, figure, { keyed_sent_twice: 0, keyed_sent_more: figure.keyed_recovered }],
      [`${figure.runtime}: one of them by three sends`, figure, { keyed_sent_more: 1 }],
      [`${figure.runtime}: one sent twice and not recovered`, figure, { keyed_sent_twice: figure.keyed_recovered + 1 }],
      [`${figure.runtime}: a POST without a key sent twice`, figure, { post_doubled: 1 }],
      [`${figure.runtime}: a GET given up`, figure, { get_recovered: 999 }],
      [`${figure.runtime}: a call failed that was not lost`, figure, { plain_failed: 1 }],
      [`${figure.runtime}: not as many lost as were to be`, figure, { losses: 2_999 }],
    ]),
    ['Node: 25 ms', node, { get_repair_p99_ms: 25 }],
    ['Node: slow on a busy machine too', node, { get_repair_p99_ms: 125, plain_get_p99_ms: 20 }],
    ['Bun: five times a plain GET', bun, { get_repair_p99_ms: 10 }],
    ['Bun: five times a plain GET, which is below a millisecond', bun, { get_repair_p99_ms: 5, plain_get_p99_ms: 0.3 }],
    ['Deno: the longest wait and five times a plain GET', deno, { get_repair_p99_ms: 60 }],
  ])('wrong: %s', (_what, figure, change) => {
    expect(unmetOfFigure({ ...figure, ...change })).toHaveLength(1)
  })

  test('milliseconds do not count where they are not to', () => {
    expect(unmetOfFigure({ ...node, get_repair_p99_ms: 9_999 }, false)).toEqual([])
    expect(unmetOfFigure({ ...node, post_doubled: 1 }, false)).toHaveLength(1)
    expect(unmetOfFigure({ ...dead, ms: 9_999 }, false)).toEqual([])
  })
})

describe('dead connections, and outages', () => {
  test.each([dead, deadOnDeno, { ...deadOnDeno, method: 'POST+key' }, deadOnBun, { ...deadOnBun, method: 'POST+key', sends: 2, bare_sends: 1 }, outage])('right: %j', (figure) => {
    expect(unmetOfFigure(figure)).toEqual([])
  })

  test.each<[string, DeadSocketsFigure | OutageFigure]>([
    ['Node: three sends', { ...dead, sends: 3 }],
    ['Node: not at all', { ...dead, sends: 1, outcome: 'ERR ECONNRESET' }],
    ['Node: late', { ...dead, ms: 250 }],
    ['Deno: given up', { ...deadOnDeno, outcome: 'ERR TypeError' }],
    ['Deno: two of the three are not its own', { ...deadOnDeno, bare_sends: 1 }],
    ['Deno: its own are not known', { ...dead, runtime: 'deno', sends: 3 }],
    ['Bun: ten of the eleven are not its own', { ...deadOnBun, bare_sends: 1 }],
    ['Bun: late', { ...deadOnBun, ms: 250 }],
    ['more than 1.05 sends a call', { ...outage, sends: 1_051 }],
    ['more than 1.05 sends a call on Bun', { ...outage, runtime: 'bun', sends: 2_000 }],
    ['nothing was counted', { ...outage, sends: 0 }],
    ['a call came through', { ...outage, good: 1 }],
  ])('wrong: %s', (_what, figure) => {
    expect(unmetOfFigure(figure)).toHaveLength(1)
  })

  test.each([{ ...deadOnDeno, sends: 4 }, { ...deadOnBun, sends: 13 }, { ...deadOnBun, method: 'POST+key', sends: 3, bare_sends: 1 }])('wrong, and not the runtime’s own: %j', (figure) => {
    expect(unmetOfFigure(figure)).toHaveLength(2)
  })
})

describe('against the target', () => {
  test.each([node, bunWithout, dead, outage, { ...node, get_repair_p99_ms: 24, plain_get_p99_ms: 20 }])('met: %j', (figure) => {
    expect(againstTarget(figure, true).target_met).toBe(true)
  })

  test.each([
    // What meets the demands, and is not the target.
    bun, deno, deadOnDeno, deadOnBun, { ...node, get_repair_p99_ms: 124, plain_get_p99_ms: 20 },
  ])('not met: %j', (figure) => {
    expect(unmetOfFigure(figure)).toEqual([])
    expect(againstTarget(figure, true)).toMatchObject({ target_met: false, held_to: expect.stringMatching(/Bun|Deno|budget|busy|policy/) as unknown })
  })

  test('the short form says that no milliseconds were demanded', () => {
    expect(againstTarget(node, false).held_to).toContain('p99: not in the short form')
  })
})
