import { freePort } from '@hopwise/testkit/components'
import type { BackendAddress } from '../backends/backend.js'
import { startLabChild, type LabChild } from '../lab-child.js'
import type { FromInstance, InstanceOptions, ToInstance } from './messages.js'

/** Whoever has not ended by then is killed; Hopwise's own deadline is sooner. */
const stopLimitMs = 15_000

/** One of the two instances, started again on the same port. */
export class InstanceHandle {
  readonly #options: InstanceOptions
  #child: LabChild<FromInstance, ToInstance> | undefined

  constructor(options: InstanceOptions) {
    this.#options = options
  }

  /** Starts a process and waits until it listens. */
  async start(): Promise<void> {
    this.#child = startLabChild<FromInstance, ToInstance>(process.execPath, new URL('instance.js', import.meta.url), this.#options)
    await this.#child.next('listening')
  }

  /** Waits until an order is written and not committed, and kills the process by SIGKILL. */
  async killInOrder(): Promise<void> {
    const holding = this.#running.next('holding')
    this.#running.tell({ kind: 'hold-next' })
    await holding
    this.#running.kill('SIGKILL')
    await this.#running.exited
  }

  /**
   * Sends SIGTERM, and waits until the process has drained.
   * @throws Error where it had to be killed
   */
  async drain(): Promise<void> {
    const child = this.#running
    child.kill('SIGTERM')
    let late = false
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
    }, stopLimitMs)
    await child.exited
    clearTimeout(timer)
    if (late) throw new Error(`an instance did not end within ${stopLimitMs} ms of its SIGTERM`)
  }

  kill(): void {
    this.#child?.kill('SIGKILL')
  }

  get port(): number {
    return this.#options.port
  }

  get #running(): LabChild<FromInstance, ToInstance> {
    if (this.#child === undefined) throw new Error('the instance was not started')
    return this.#child
  }
}

/** Starts an instance on a free port; where somebody else takes the port in between, on another one. */
export async function startInstance(address: BackendAddress): Promise<InstanceHandle> {
  for (let triesLeft = 5; ; triesLeft--) {
    const instance = new InstanceHandle({ port: await freePort(), address })
    try {
      await instance.start()
      return instance
    } catch (error) {
      instance.kill()
      if (triesLeft === 0 || !String(error).includes('EADDRINUSE')) throw error
    }
  }
}
