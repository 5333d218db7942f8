import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** A server of the lab in a process of its own. */
export interface LabChild<From extends { readonly kind: string }, To extends { readonly kind: string }> {
  /** Calls back with every message of this kind. */
  on<Kind extends From['kind']>(kind: Kind, listener: (message: Extract<From, { kind: Kind }>) => void): void
  /**
   * Resolves with the next message of this kind.
   * @throws Error with what the process said last, if it ends before
   */
  next<Kind extends From['kind']>(kind: Kind): Promise<Extract<From, { kind: Kind }>>
  tell(message: To): void
  /** Resolves when it has ended. */
  readonly exited: Promise<void>
  /** Whether it runs. */
  readonly runs: boolean
  kill(signal: 'SIGTERM' | 'SIGKILL'): void
}

/** Starts a script on a Node, with plain data as its argument. */
export function startLabChild<From extends { readonly kind: string }, To extends { readonly kind: string }>(node: string, script: URL, options: unknown): LabChild<From, To> {
  // The options of this process may be those of a test runner.
  const child: ChildProcess = fork(fileURLToPath(script), [JSON.stringify(options)], { execPath: node, execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  let complaint = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-2_000)
  })
  let runs = true
  const exited = new Promise<void>((resolve) => {
    const over = (): void => {
      runs = false
      resolve()
    }
    child.once('exit', over)
    child.once('error', (error) => {
      complaint += error.message
      over()
    })
  })
  const on: LabChild<From, To>['on'] = (kind, listener) => {
    child.on('message', (message: From) => {
      if (message.kind === kind) listener(message as Parameters<typeof listener>[0])
    })
  }
  return {
    on,
    next: (kind) =>
      new Promise((resolve, reject) => {
        on(kind, resolve)
        child.once('close', () => reject(new Error(`a server of the lab ended without "${kind}": ${complaint.trim()}`)))
      }),
    tell: (message) => {
      if (child.connected) child.send(message, () => {})
    },
    exited,
    get runs() {
      return runs
    },
    kill: (signal) => void child.kill(signal),
  }
}
