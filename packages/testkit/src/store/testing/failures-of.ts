import { runCases, storeContract, type StoreSupports } from '../index.js'
import { naiveData, naiveStore, type Flaws } from './naive-store.js'

let time = 0

/** The titles of the cases that a store with these flaws fails, in their order. */
export async function failuresOf(flaws: Flaws, supports?: StoreSupports): Promise<string[]> {
  const { cases } = storeContract({
    name: 'broken',
    async create() {
      const data = naiveData()
      const [store, second] = [naiveStore(flaws, () => time, data), naiveStore(flaws, () => time, data)]
      return { store, second, close: async () => {} }
    },
    clock: { advance: (by) => void (time += by) },
    ...(supports !== undefined && { supports }),
    // The naive store wakes before `complete` resolves, or never.
    wakesWithin: 1,
  })
  const report = await runCases(cases)
  return report.failed.map(({ name }) => name.replace('broken: ', ''))
}
