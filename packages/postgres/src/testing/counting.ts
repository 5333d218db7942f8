import { onTestFinished } from 'vitest'
import type { Connect, TransactionClient } from '../index.js'

/** A connect function that keeps account of its connections. */
export interface CountingConnect<Native> {
  readonly connect: Connect<Native>
  /** How many connections are out. */
  out(): number
  /** How often each connection was given back, in the order in which they were taken. */
  givenBack(): number[]
  /** How many of them were given back as broken. */
  broken(): number
  /** Resolves when no connection is out. */
  allBack(): Promise<void>
  /** Called before each query; what it waits for, the query waits for. */
  before: (text: string, client: TransactionClient<Native>) => Promise<void> | void
}

/** Counts what is taken and given back. What is still out after the test is destroyed, or its pool could not end. */
export function counting<Native>(connect: Connect<Native>): CountingConnect<Native> {
  const releases: number[] = []
  let broken = 0
  let wake: (() => void)[] = []
  const clients: TransactionClient<Native>[] = []
  let isOver = false
  onTestFinished(() => {
    isOver = true
    for (const [at, client] of clients.entries()) {
      if (releases[at] === 0) client.release(true)
    }
  })
  const out = (): number => releases.filter((count) => count === 0).length
  const counted: CountingConnect<Native> = {
    async connect() {
      const client = await connect()
      const at = releases.push(0) - 1
      clients.push(client)
      return {
        native: client.native,
        async query(text, values) {
          await counted.before(text, client)
          return client.query(text, values)
        },
        release(isBroken) {
          releases[at] = (releases[at] ?? 0) + 1
          if (isBroken === true) broken++
          if (!isOver) client.release(isBroken)
          if (out() > 0) return
          for (const each of wake) each()
          wake = []
        },
      }
    },
    out,
    givenBack: () => [...releases],
    broken: () => broken,
    allBack: () => new Promise((resolve) => (out() === 0 ? resolve() : wake.push(resolve))),
    before: () => undefined,
  }
  return counted
}
