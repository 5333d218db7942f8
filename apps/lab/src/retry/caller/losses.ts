import { setTimeout } from 'node:timers/promises'
import { seededRandom } from '../../scenario.js'
import type { Method } from '../cases.js'
import type { LabAnswer, LabClient } from '../clients/client.js'
import { lossFaults, lossLabel, lossMethods, plainLabel } from '../counted/labels.js'
import { send } from './call.js'
import type { Fared, LossesJob, LossesResult } from './messages.js'

/** How many calls are under way at a time. */
const atATime = 4

/** Makes calls that are lost, each between two that are not, until as many were lost as was asked. */
export async function runLosses(client: LabClient, { origin, losses, seed }: LossesJob): Promise<LossesResult> {
  const random = seededRandom(seed)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
  const { signal } = new AbortController()
  const methods = Object.fromEntries(lossMethods.map((method) => [method, { lost: 0, recovered: 0 }]))
  const plain: number[] = []
  const repairs: number[] = []
  const attemptsBefore = client.attempts?.() ?? 0
  let calls = 0
  let answered = 0
  let plainFailed = 0
  let ids = 0
  // Whoever begins one takes a place, and gives it back where the call was not lost.
  let places = losses

  const call = async (method: Method, label: string): Promise<LabAnswer | undefined> => {
    calls += 1
    const answer = await send(client, method, `${origin}/${label}/${(ids += 1)}`, signal).catch(() => undefined)
    if (answer?.status === 200) answered += 1
    return answer
  }
  const plainCall = async (): Promise<void> => {
    const began = performance.now()
    const answer = await call('GET', plainLabel)
    plain.push(performance.now() - began)
    if (answer?.status !== 200) plainFailed += 1
  }
  const lostCall = async (): Promise<void> => {
    const method = pick(lossMethods)
    const began = performance.now()
    const answer = await call(method, lossLabel(method, pick(lossFaults)))
    const ms = performance.now() - began
    if (answer?.body === 'unset') {
      places += 1
      // undici 7 opens connection after connection once a pool has lost its last one, until there is a pause.
      await setTimeout(2)
      return
    }
    const fared = methods[method] as { -readonly [Key in keyof Fared]: Fared[Key] }
    fared.lost += 1
    if (answer?.status === 200) fared.recovered += 1
    if (method === 'GET') repairs.push(ms)
  }
  const worker = async (): Promise<void> => {
    while (places > 0) {
      places -= 1
      await plainCall()
      await lostCall()
    }
  }
  await Promise.all(Array.from({ length: atATime }, worker))
  // A place that came back when the other workers were done.
  await worker()
  const sentAgain = (client.attempts?.() ?? 0) - attemptsBefore - calls
  return { methods, answered, sentAgain, plainP99: p99(plain), plainFailed, repairP99: p99(repairs) }
}

function p99(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0
}
