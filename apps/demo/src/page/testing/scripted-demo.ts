import type { ActName, ActResult, InstancePhase, InstanceView, SideView, Snapshot } from '../../snapshot.js'

/** A demo that never runs: snapshots written beforehand, played up to where the test has allowed. */
export interface ScriptedDemo {
  /** The next snapshot, or the last allowed one again. */
  snapshot(): Snapshot
  /** Lets it play on to the end of an act, or to the end of all. */
  playTo(act: ActName | 'done'): void
}

const stepMs = 500
const stepsPerAct = 60
const acts: readonly ActName[] = ['idle-race', 'deploy', 'lost-answers']

/** Three acts of 30 s: plain loses something in each; hopwise does not, unless `ok` is false. */
export function createScriptedDemo({ ok }: { readonly ok: boolean }): ScriptedDemo {
  const frames = writeFrames(ok)
  let position = 0
  let allowed = 0
  return {
    snapshot() {
      const shown = frames[position]
      if (shown === undefined) throw new Error('the script has no frames')
      position = Math.min(position + 1, allowed)
      return shown
    },
    playTo(act) {
      allowed = frames.findLastIndex((one) => one.act === act)
    },
  }
}

function writeFrames(ok: boolean): readonly Snapshot[] {
  const frames: Snapshot[] = [frame('starting', 0, emptySide('starting'), emptySide('starting'), [])]
  const results: ActResult[] = []
  let plain = emptySide('ready')
  let hopwise = emptySide('ready')
  let step = 0
  for (const act of acts) {
    const before = { plain, hopwise }
    for (let i = 0; i < stepsPerAct; i += 1) {
      step += 1
      plain = nextSide(plain, act, i, 'plain')
      hopwise = nextSide(hopwise, act, i, ok ? 'hopwise' : 'plain')
      frames.push(frame(act, step, plain, hopwise, results.slice()))
    }
    results.push({ act, plain: figures(before.plain, plain), hopwise: figures(before.hopwise, hopwise) })
  }
  frames.push({ ...frame('done', step + 1, plain, hopwise, results), ok })
  return frames
}

function frame(act: Snapshot['act'], step: number, plain: SideView, hopwise: SideView, results: readonly ActResult[]): Snapshot {
  return { proxy: 'nginx 1.22.1', act, elapsedMs: step * stepMs, sides: { plain, hopwise }, results }
}

function emptySide(phase: InstancePhase): SideView {
  const instances: readonly InstanceView[] = [{ name: 'A', phase, generation: 1 }, { name: 'B', phase, generation: 1 }]
  return { requests: 0, failed: 0, duplicates: 0, connectionsOpened: 0, requestsReused: 0, instances }
}

function nextSide(before: SideView, act: ActName, i: number, behaves: 'plain' | 'hopwise'): SideView {
  const requests = (act === 'idle-race' ? 60 : 100) + ((Math.floor(i / 3) * 7 + (behaves === 'plain' ? 3 : 0)) % 11)
  const loses = behaves === 'plain' && (act === 'idle-race' ? i % 5 === 2 : act === 'deploy' && (i === 16 || i === 17 || i === 36))
  const opened = loses ? 9 : act === 'lost-answers' ? 3 : 1
  return {
    requests: before.requests + requests,
    failed: before.failed + (loses ? 2 + (i % 4) : 0),
    duplicates: before.duplicates + (behaves === 'plain' && act === 'lost-answers' && i % 4 === 1 ? 1 : 0),
    connectionsOpened: before.connectionsOpened + opened,
    requestsReused: before.requestsReused + requests - opened,
    instances: act === 'deploy' ? [restarting('A', i, 10), restarting('B', i, 30)] : before.instances,
  }
}

function restarting(name: 'A' | 'B', i: number, from: number): InstanceView {
  const phases: readonly InstancePhase[] = ['announcing', 'draining', 'closed', 'starting']
  const phase = i < from ? 'ready' : (phases[Math.floor((i - from) / 4)] ?? 'ready')
  return { name, phase, generation: i < from + 12 ? 1 : 2 }
}

function figures(before: SideView, after: SideView): Readonly<Record<string, number>> {
  return {
    requests: after.requests - before.requests,
    failed: after.failed - before.failed,
    duplicates: after.duplicates - before.duplicates,
    connectionsOpened: after.connectionsOpened - before.connectionsOpened,
    requestsReused: after.requestsReused - before.requestsReused,
  }
}
