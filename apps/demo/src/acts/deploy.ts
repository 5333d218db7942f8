import { setTimeout as wait } from 'node:timers/promises'
import type { StageSide } from '../stage/stage.js'
import { Lane } from '../stage/lane.js'
import { Tally } from '../stage/tally.js'

const lanes = 24
const pauseMs = 25
const rounds = 2
/**
 * The proxy passes over an instance for one second after it refused a connection, and counts in whole seconds: sooner
 * than this after a restart it may still think that the first instance is gone when the second one goes.
 */
const proxyForgivesMs = 2_500

/** Both instances are restarted one after the other, twice, under a steady load of which half is POST. */
export async function deploy(stage: StageSide): Promise<Record<string, number>> {
  const tally = new Tally(stage.tally)
  const clients = Array.from({ length: lanes }, () => new Lane(stage.port, tally))
  let over = false
  let orders = 0
  const work = async (lane: Lane): Promise<void> => {
    for (let turn = 0; !over; turn++) {
      const reference = `deploy-${stage.run}-${orders++}`
      if (turn % 2 === 0) await lane.list()
      else await lane.order({ reference, key: reference })
      await wait(Math.random() * 2 * pauseMs)
    }
  }
  const load = Promise.all(clients.map(work))
  const stops: { milliseconds: number; killed: boolean }[] = []
  try {
    for (let round = 0; round < rounds; round++) {
      for (const instance of stage.instances) {
        await wait(proxyForgivesMs)
        stops.push(await instance.stop())
        await instance.start()
      }
    }
    await wait(proxyForgivesMs)
  } finally {
    over = true
    await load
    for (const lane of clients) lane.close()
  }
  return {
    requests: tally.requests,
    failed: tally.failed,
    restarts: stops.length,
    killed: stops.filter(({ killed }) => killed).length,
    longestStopMs: Math.max(...stops.map(({ milliseconds }) => milliseconds)),
  }
}
