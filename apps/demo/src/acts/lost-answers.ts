import type { StageSide } from '../stage/stage.js'
import { startCuttingRelay } from '../stage/cutting-relay.js'
import { Lane } from '../stage/lane.js'
import { Tally } from '../stage/tally.js'

const keys = 100
const atOnce = 10
const mostAttempts = 20

/**
 * The connection is cut after the order was made and before its answer arrived; the client sends the same request
 * again, with the same Idempotency-Key, until it is answered. Then the orders in the database are counted.
 */
export async function lostAnswers(stage: StageSide): Promise<Record<string, number>> {
  const relay = await startCuttingRelay(stage.port)
  let attempts = 0
  let unanswered = 0
  let next = 0
  const work = async (): Promise<void> => {
    while (next < keys) {
      const reference = `lost-${stage.run}-${next++}`
      // Every second answer is lost twice.
      relay.cutAnswersOf(reference, 1 + (next % 2))
      if (!(await orderUntilAnswered(reference))) unanswered++
    }
  }
  const orderUntilAnswered = async (reference: string): Promise<boolean> => {
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      attempts++
      // A connection of its own for each attempt. What is cut on purpose is not a failure of the server's.
      const lane = new Lane(relay.port, new Tally())
      const { status } = await lane.order({ reference, key: reference })
      lane.close()
      stage.tally.count(status === 0 ? 499 : status)
      if (status === 201) return true
    }
    return false
  }
  try {
    await Promise.all(Array.from({ length: atOnce }, work))
  } finally {
    await relay.stop()
  }
  return { attempts, ...stage.ledger.count(`lost-${stage.run}-`), failed: unanswered }
}
