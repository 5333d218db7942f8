import { startLabChild, type LabChild } from '../lab-child.js'
import { createDelayRelay, type DelayRelay } from './delay-relay.js'
import type { FromInstance, InstanceOptions, ToInstance } from './messages.js'

/** What came of stopping an instance. */
export interface Stopped {
  /** From the SIGTERM to its end. */
  readonly milliseconds: number
  /** Hopwise's count of connections that it cut. */
  readonly forced: number
}

const script = new URL('instance.js', import.meta.url)
/** Whoever has not ended by then is killed; every server's own deadline is sooner. */
const stopLimitMs = 60_000

/** One of the two instances: restarted on the same port, behind a relay where there is distance. */
export class InstanceHandle {
  /** Where proxies and clients find it. */
  readonly port: number
  readonly #node: string
  readonly #options: InstanceOptions
  readonly #relay: DelayRelay | undefined
  #child: LabChild<FromInstance, ToInstance> | undefined
  #generation = 0

  /** @param relayPort the relay's, where there is one; `rttMs` is its distance */
  constructor(node: string, options: InstanceOptions, rttMs: number, relayPort: number) {
    this.#node = node
    this.#options = { ...options, gated: rttMs > 0 }
    this.#relay = rttMs > 0 ? createDelayRelay(relayPort, options.port, rttMs) : undefined
    this.port = this.#relay?.port ?? options.port
  }

  /** Starts a process and waits until it can be reached. */
  async start(): Promise<void> {
    const child = startLabChild<FromInstance, ToInstance>(this.#node, script, { ...this.#options, seed: this.#options.seed + ++this.#generation })
    this.#child = child
    child.on('closing', () => {
      void this.#relay?.close().then((connections) => child.tell({ kind: 'relay-closed', connections }))
    })
    await child.next('listening')
    await this.#relay?.open()
  }

  /** Has it say that it is not ready, as a deregistration or a preStop hook would. */
  leave(): void {
    this.#child?.tell({ kind: 'leave' })
  }

  /** Sends SIGTERM and waits until it has ended. */
  async stop(): Promise<Stopped> {
    const child = this.#child
    if (child === undefined) throw new Error('the instance was not started')
    let forced = 0
    child.on('drained', (message) => {
      forced = message.forced
    })
    const since = performance.now()
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), stopLimitMs)
    await child.exited
    const milliseconds = performance.now() - since
    clearTimeout(timer)
    await this.#relay?.close()
    return { milliseconds, forced }
  }

  /** Ends everything at once. */
  kill(): void {
    this.#child?.kill('SIGKILL')
    this.#relay?.stop()
  }
}
