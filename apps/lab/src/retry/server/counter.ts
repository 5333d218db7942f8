import { meets, wantsUsed, type Arrival, type Fault } from '../faults.js'
import type { Tally } from './messages.js'

/** What is to be done to a request that has come. */
export interface Judgement {
  readonly fault: Fault
  /** It came on a new connection first, where the fault needs a used one. */
  readonly unset: boolean
}

/** Counts how often each request has come, and says which of them meet their label's fault. */
export class Counter {
  readonly #faults: Readonly<Record<string, Fault>>
  readonly #labels = new Map<string, { readonly seen: Map<string, number>; unset: number }>()

  constructor(faults: Readonly<Record<string, Fault>>) {
    this.#faults = faults
  }

  /** @param path `/<label>/<id>` */
  arrived(path: string, reused: boolean): Judgement {
    const [, label = '', id = ''] = path.split('/')
    let requests = this.#labels.get(label)
    if (requests === undefined) this.#labels.set(label, (requests = { seen: new Map(), unset: 0 }))
    const arrival: Arrival = { reused, before: requests.seen.get(id) ?? 0 }
    requests.seen.set(id, arrival.before + 1)
    const fault = this.#faults[label] ?? 'none'
    const unset = wantsUsed(fault) && !reused && arrival.before === 0
    if (unset) requests.unset += 1
    return { fault: meets(fault, arrival) ? fault : 'none', unset }
  }

  tallies(): Record<string, Tally> {
    return Object.fromEntries([...this.#labels].map(([label, { seen, unset }]) => {
      const saw: Record<number, number> = {}
      for (const times of seen.values()) saw[times] = (saw[times] ?? 0) + 1
      return [label, { saw, unset }]
    }))
  }
}
