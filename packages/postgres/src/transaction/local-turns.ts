import type { ClaimRequest, ClaimResult, Duration } from '@hopwise/core'

/** The claims of this process, so that duplicates of one key wait for each other here, and not with a connection each. */
export interface LocalTurns {
  /**
   * Runs `claim` when no other one of the same key runs and nobody here holds the key, or gives what came of the one that
   * ran if it is the answer to this request as well. A key that is held here by another fingerprint is a mismatch at once.
   * @param until a time of `performance.now()`; where the turn does not come by then, the key is pending
   */
  run(request: ClaimRequest, until: number, claim: () => Promise<ClaimResult>): Promise<ClaimResult>
  /** Says that the key is held until `over` resolves. */
  hold(request: ClaimRequest, over: Promise<void>): void
}

interface Turn {
  readonly fingerprint: string
  readonly isHeld: boolean
  /** What came of a claim; `undefined` where a held key has become free or done. */
  readonly end: Promise<ClaimResult | undefined>
}

/** What a duplicate hears that has waited in vain. */
export const stillPending: ClaimResult = { kind: 'pending', leaseLeft: 1_000 as Duration }

/** Makes the turns of one store. */
export function localTurns(): LocalTurns {
  const turns = new Map<string, Turn>()

  const take = (key: string, turn: Turn): void => {
    turns.set(key, turn)
    const leave = (): void => {
      if (turns.get(key) === turn) turns.delete(key)
    }
    turn.end.then(leave, leave)
  }

  return {
    async run(request, until, claim) {
      for (;;) {
        const before = turns.get(request.key)
        if (before === undefined) {
          const end = claim()
          take(request.key, { fingerprint: request.fingerprint, isHeld: false, end })
          return end
        }
        const same = before.fingerprint === request.fingerprint
        if (before.isHeld && !same) return { kind: 'mismatch' }
        const result = await within(before.end, until - performance.now())
        if (result === 'too late') return stillPending
        if (same && (result?.kind === 'done' || result?.kind === 'pending')) return copyOf(result)
      }
    },
    hold: ({ key, fingerprint }, over) => take(key, { fingerprint, isHeld: true, end: over.then(() => undefined) }),
  }
}

async function within<T>(promise: Promise<T>, limit: number): Promise<T | 'too late'> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<'too late'>((resolve) => (timer = setTimeout(resolve, Math.max(0, limit), 'too late')))
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

function copyOf(result: ClaimResult): ClaimResult {
  if (result.kind !== 'done') return result
  const { body } = result.response
  return { kind: 'done', response: { ...result.response, body: body && new Uint8Array(body) } }
}
