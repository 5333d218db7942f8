import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { BackendAddress } from '../backends/backend.js'

/** Worker processes that serve the protected handler; each that is killed is replaced. */
export class Fleet {
  readonly #address: BackendAddress
  readonly #leaseMs: number
  readonly #ready = new Map<ChildProcess, number>()
  readonly #all = new Set<ChildProcess>()
  #waiting: (() => void)[] = []
  #complaint = ''

  constructor(address: BackendAddress, leaseMs: number) {
    this.#address = address
    this.#leaseMs = leaseMs
  }

  /** Starts `count` workers, and resolves once all of them listen. */
  async start(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.#spawn()))
  }

  /** The port of a worker that listens; waits for one where there is none. */
  async port(random: () => number): Promise<number> {
    while (this.#ready.size === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    const ports = [...this.#ready.values()]
    return ports[Math.floor(random() * ports.length)] ?? 0
  }

  /** Kills a worker and starts another one; false where none is ready, or only one is. */
  async killOne(random: () => number): Promise<boolean> {
    const children = [...this.#ready.keys()]
    const child = children[Math.floor(random() * children.length)]
    if (child === undefined || children.length < 2) return false
    this.#ready.delete(child)
    child.kill('SIGKILL')
    void this.#spawn().catch(() => {})
    return true
  }

  killAll(): void {
    for (const child of this.#all) child.kill('SIGKILL')
  }

  #spawn(): Promise<void> {
    const child = fork(fileURLToPath(new URL('worker.js', import.meta.url)), [JSON.stringify({ address: this.#address, leaseMs: this.#leaseMs })], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.#all.add(child)
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#complaint = (this.#complaint + chunk.toString()).slice(-2_000)
    })
    return new Promise((resolve, reject) => {
      child.once('message', (port: number) => {
        this.#ready.set(child, port)
        for (const wake of this.#waiting.splice(0)) wake()
        resolve()
      })
      child.once('exit', (code, signal) => {
        this.#ready.delete(child)
        this.#all.delete(child)
        if (signal !== 'SIGKILL') console.error(`a worker ended by itself with ${code}: ${this.#complaint}`)
        reject(new Error(`a worker ended with ${code ?? signal}: ${this.#complaint}`))
      })
    })
  }
}
