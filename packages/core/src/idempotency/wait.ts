import type { Duration } from '../duration.js'

const firstPause = 50
const longestPause = 1_000

/**
 * Claims again and again until the key is no longer pending or `limit` is over: woken by the store where it can, and in
 * any case after a pause that grows from 50 ms to 1 s, give or take a half, since a notification may be lost.
 * @param again claims once more
 * @param watch begins to watch the key, and gives what ends it, where the store has notifications
 * @throws whatever `again` or `watch` throws
 */
export async function waitForResult<Result extends { readonly kind: string } | undefined>(
  limit: Duration,
  again: () => Promise<Result>,
  watch: (wake: () => void) => Promise<(() => void) | undefined>,
): Promise<Result> {
  const endsAt = performance.now() + limit
  let wake = (): void => {}
  const stop = await watch(() => wake())
  try {
    for (let pause = firstPause; ; pause = Math.min(longestPause, pause * 2)) {
      // Before the claim, so that a result is not missed that comes meanwhile.
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      const result = await again()
      const left = endsAt - performance.now()
      if (result?.kind !== 'pending' || left <= 0) return result
      const timer = setTimeout(wake, Math.min(left, pause * (0.5 + Math.random())))
      await woken
      clearTimeout(timer)
    }
  } finally {
    stop?.()
  }
}
