import { deploy } from './acts/deploy.js'
import { idleRace } from './acts/idle-race.js'
import { lostAnswers } from './acts/lost-answers.js'
import type { ActName, ActResult } from './snapshot.js'
import type { Stage, StageSide } from './stage/stage.js'

const acts: readonly (readonly [ActName, (side: StageSide) => Promise<Record<string, number>>])[] = [
  ['idle-race', idleRace],
  ['deploy', deploy],
  ['lost-answers', lostAnswers],
]

/** Runs the acts one after another, each on both sides at the same time. */
export async function runActs(stage: Stage, began: (act: ActName) => void, ended: (result: ActResult) => void): Promise<void> {
  for (const [act, play] of acts) {
    began(act)
    const [plain, hopwise] = await Promise.all([play(stage.sides.plain), play(stage.sides.hopwise)])
    ended({ act, plain, hopwise })
  }
}

/**
 * Whether the demo shows what it claims: hopwise failed nothing and doubled nothing in any act, and plain did in each.
 * An act in which both sides are perfect proves nothing.
 */
export function verdict(results: readonly ActResult[]): { readonly ok: boolean; readonly complaints: readonly string[] } {
  const lost = (figures: ActResult['plain']): number => (figures['failed'] ?? 0) + (figures['duplicates'] ?? 0)
  const complaints = results.flatMap(({ act, plain, hopwise }) => [
    ...(lost(hopwise) > 0 ? [`${act}: hopwise lost or doubled ${lost(hopwise)}`] : []),
    ...(lost(plain) === 0 ? [`${act}: plain lost nothing, so the act proves nothing`] : []),
  ])
  if (results.length !== acts.length) complaints.push(`only ${results.length} of ${acts.length} acts were played`)
  return { ok: complaints.length === 0, complaints }
}
