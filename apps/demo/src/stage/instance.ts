import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { InstanceMessage } from '../api/instance-messages.js'
import type { InstancePhase, InstanceView, Side } from '../snapshot.js'

/** How long an instance may take to stop before it is killed, as an orchestrator would. */
const stopLimitMs = 5_000

/** One instance of the API in a process of its own, restarted on the same port. */
export class Instance {
  readonly name: 'A' | 'B'
  readonly port: number
  phase: InstancePhase = 'closed'
  generation = 0
  /** Connections opened and requests reused by all processes so far. */
  #earlier = { opened: 0, requestsReused: 0 }
  #current = { opened: 0, requestsReused: 0 }
  #child: ChildProcess | undefined
  readonly #side: Side
  readonly #folder: string

  constructor(side: Side, name: 'A' | 'B', port: number, folder: string) {
    this.#side = side
    this.name = name
    this.port = port
    this.#folder = folder
  }

  get connections(): { opened: number; requestsReused: number } {
    const { opened, requestsReused } = this.#earlier
    return { opened: opened + this.#current.opened, requestsReused: requestsReused + this.#current.requestsReused }
  }

  get view(): InstanceView {
    return { name: this.name, phase: this.phase, generation: this.generation }
  }

  /**
   * Starts a process and waits until it listens.
   * @throws Error with the one sentence that the process gave
   */
  async start(): Promise<void> {
    this.phase = 'starting'
    this.generation++
    const child = fork(fileURLToPath(new URL(`../api/${this.#side}-instance.js`, import.meta.url)), [String(this.port), this.#folder], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.#child = child
    let complaint = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(-2_000)
    })
    await new Promise<void>((resolve, reject) => {
      child.on('message', (message: InstanceMessage) => {
        if (message.kind === 'connections') this.#current = message
        if (message.kind === 'failed') reject(new Error(message.message))
        if (message.kind === 'phase') {
          this.phase = message.phase
          if (message.phase === 'ready') resolve()
        }
      })
      child.once('exit', (code) => {
        this.phase = 'closed'
        this.#earlier = this.connections
        this.#current = { opened: 0, requestsReused: 0 }
        reject(new Error(`instance ${this.name} of ${this.#side} ended with ${code}: ${complaint.trim()}`))
      })
    })
  }

  /** Asks the process to stop, and kills it where it takes too long. Gives how long it took, and whether it was killed. */
  async stop(): Promise<{ milliseconds: number; killed: boolean }> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return { milliseconds: 0, killed: false }
    const since = performance.now()
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    let killed = false
    const timer = setTimeout(() => {
      killed = true
      child.kill('SIGKILL')
    }, stopLimitMs)
    await exited
    clearTimeout(timer)
    return { milliseconds: Math.round(performance.now() - since), killed }
  }

  /** Ends the process at once. */
  kill(): void {
    this.#child?.kill('SIGKILL')
  }
}
