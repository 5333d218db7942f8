import { setTimeout as wait } from 'node:timers/promises'
import type { StageSide } from '../stage/stage.js'
import { Lane } from '../stage/lane.js'
import { Tally } from '../stage/tally.js'

const lanes = 100
const rounds = 2
/** Node closes an idle connection 5 s after the last response, and really one second later. */
const idleMs = 6_000
const spreadMs = 300
const stallMs = 800

/**
 * Clients POST, pause about as long as the server keeps an idle connection, and POST again, while one slow synchronous
 * handler blocks the event loop across that moment. A request that arrives meanwhile lies in the kernel's buffer when
 * the server, late, closes the connection: it is reset unread, and the proxy answers 502.
 */
export async function idleRace(stage: StageSide): Promise<Record<string, number>> {
  const tally = new Tally(stage.tally)
  const clients = Array.from({ length: lanes }, () => new Lane(stage.port, tally))
  let orders = 0
  const post = (lane: Lane) => {
    const reference = `idle-${stage.run}-${orders++}`
    return lane.order({ reference, key: reference })
  }
  try {
    await Promise.all(clients.map(post))
    for (let round = 0; round < rounds; round++) {
      const lastAnswer = performance.now()
      const stalled = wait(idleMs - spreadMs).then(() => Promise.all(stage.instances.map(({ port }) => stall(port))))
      await Promise.all(clients.map(async (lane, index) => {
        // Evenly over the whole of the stall, give or take nothing: chance is not needed to lose.
        const pause = idleMs + 100 - spreadMs + (2 * spreadMs * index) / lanes
        await wait(Math.max(0, lastAnswer + pause - performance.now()))
        await post(lane)
      }))
      await stalled
    }
  } finally {
    for (const lane of clients) lane.close()
  }
  return { requests: tally.requests, failed: tally.failed }
}

/** Blocks an instance's event loop by a request to it, as an operator's report or a large JSON would. */
async function stall(port: number): Promise<void> {
  await fetch(`http://127.0.0.1:${port}/stall?ms=${stallMs}`, { method: 'POST', headers: { connection: 'close' } })
}
