import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@hopwise/testkit/components'
import type { Side, SideView } from '../snapshot.js'
import { Instance } from './instance.js'
import { openLedger, type Ledger } from './orders-ledger.js'
import { startProxy, type Proxy, type ProxyChoice } from './proxy.js'
import { Tally } from './tally.js'

/** One side of the stage: two instances, their database, and the port by which clients reach them. */
export interface StageSide {
  readonly side: Side
  /** The proxy's port. */
  readonly port: number
  readonly instances: readonly [Instance, Instance]
  readonly ledger: Ledger
  /** Everything since the demo began. */
  readonly tally: Tally
  /** Makes the references of this run its own, whatever the database holds from earlier ones. */
  readonly run: string
}

/** Both sides behind one proxy. */
export interface Stage {
  readonly proxy: string
  readonly sides: Readonly<Record<Side, StageSide>>
  view(side: Side): SideView
  /** Ends every process and removes the folder. */
  strike(): Promise<void>
}

/**
 * Sets the stage. The instances run before the proxy starts, so that it never sees them missing.
 * @throws Error with one sentence where something is in the way; nothing is left running then
 */
export async function setStage(choice: ProxyChoice & { readonly data: string | undefined }): Promise<Stage> {
  const undo: (() => unknown)[] = []
  const folder = choice.data ?? (await mkdtemp(join(tmpdir(), 'hopwise-demo-')))
  if (choice.data === undefined) undo.push(() => rm(folder, { recursive: true, force: true }))
  const strike = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step()
  }
  try {
    const plain = await setSide('plain', join(folder, 'plain'), undo)
    const hopwise = await setSide('hopwise', join(folder, 'hopwise'), undo)
    const upstreams = { plain: ports(plain), hopwise: ports(hopwise) }
    const proxy: Proxy = await startProxy(upstreams, choice)
    undo.push(() => proxy.stop())
    const sides = { plain: { ...plain, port: proxy.ports.plain }, hopwise: { ...hopwise, port: proxy.ports.hopwise } }
    return { proxy: proxy.name, sides, view: (side) => viewOf(sides[side]), strike }
  } catch (error) {
    await strike()
    throw error
  }
}

async function setSide(side: Side, folder: string, undo: (() => unknown)[]): Promise<Omit<StageSide, 'port'>> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw new Error(`the folder ${folder} cannot be made: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  })
  const ledger = openLedger(join(folder, 'orders.db'))
  undo.push(() => ledger.close())
  const instances = [new Instance(side, 'A', await freePort(), folder), new Instance(side, 'B', await freePort(), folder)] as const
  for (const instance of instances) {
    undo.push(() => instance.kill())
    await instance.start()
  }
  return { side, instances, ledger, tally: new Tally(), run: randomUUID().slice(0, 8) }
}

function ports({ instances }: Pick<StageSide, 'instances'>): number[] {
  return instances.map(({ port }) => port)
}

function viewOf({ instances, ledger, tally }: StageSide): SideView {
  const sum = (figure: 'opened' | 'requestsReused') => instances.reduce((total, { connections }) => total + connections[figure], 0)
  return {
    requests: tally.requests,
    failed: tally.failed,
    duplicates: ledger.count('').duplicates,
    connectionsOpened: sum('opened'),
    requestsReused: sum('requestsReused'),
    instances: instances.map(({ view }) => view),
  }
}
