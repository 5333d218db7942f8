import { setTimeout as wait } from 'node:timers/promises'
import { callField } from './callers.js'
import type { Cut, CuttingRelay } from './cutting-relay.js'
import type { InstanceHandle } from './instance-handle.js'

/** How much goes wrong. */
export interface FaultPlan {
  /** Each is a kill, a drain and a series of cuts. */
  readonly turns: number
  readonly cutsATurn: number
}

/** What went wrong. */
export interface Faults {
  readonly kills: number
  readonly drains: number
  readonly cuts: number
}

/** An instance that refused is passed over for `fail_timeout=1s`, and nginx counts whole seconds. */
const nginxPassesOverMs = 2_100
/** One in so many exchanges is cut. */
const cutOneOf = 6
/** A network that cut the same call for ever would be an outage. */
const mostCutsOfACall = 2

/** Does to the API what production does, one thing after another: kill -9, a rolling restart, connections that are cut. */
export async function causeFaults({ turns, cutsATurn }: FaultPlan, instances: readonly InstanceHandle[], relay: CuttingRelay, random: () => number): Promise<Faults> {
  let [kills, drains, cuts] = [0, 0, 0]
  await wait(500)
  for (let turn = 0; turn < turns; turn++) {
    const [one, other] = turn % 2 === 0 ? [instances[0], instances[1]] : [instances[1], instances[0]]
    await one?.killInOrder()
    kills++
    await one?.start()
    await wait(nginxPassesOverMs)
    await other?.drain()
    drains++
    await other?.start()
    await wait(nginxPassesOverMs)
    cuts += await cutSome(cutsATurn, relay, random)
  }
  await wait(500)
  return { kills, drains, cuts }
}

/** Cuts so many exchanges, each call at most twice. */
function cutSome(wanted: number, relay: CuttingRelay, random: () => number): Promise<number> {
  const ofCall = new Map<string, number>()
  const field = new RegExp(`^${callField}: *(.+)$`, 'im')
  let left = wanted
  return new Promise((resolve) => {
    relay.chooseCut = (header) => {
      const call = field.exec(header)?.[1] ?? ''
      const before = ofCall.get(call) ?? 0
      if (before === mostCutsOfACall || random() >= 1 / cutOneOf) return undefined
      ofCall.set(call, before + 1)
      left--
      if (left === 0) {
        relay.chooseCut = () => undefined
        resolve(wanted)
      }
      return someCut(random)
    }
  })
}

function someCut(random: () => number): Cut {
  const where = (['request', 'request', 'answer', 'answer', 'within-answer'] as const)[Math.floor(random() * 5)] ?? 'request'
  return { where, how: random() < 0.5 ? 'reset' : 'close', share: random() }
}
