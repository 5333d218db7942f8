import type { Server } from 'node:http'
import type { InstancePhase } from '../snapshot.js'

/** What an instance tells the stage that started it. */
export type InstanceMessage =
  | { readonly kind: 'phase'; readonly phase: InstancePhase }
  | { readonly kind: 'connections'; readonly opened: number; readonly requestsReused: number }
  | { readonly kind: 'failed'; readonly message: string }

/** Sends a message to the stage, if there is one. */
export function tell(message: InstanceMessage): void {
  process.send?.(message)
}

/** Counts connections and the requests that came on one that had carried a request before; tells them as they change. */
function tellConnections(server: Server): void {
  const used = new WeakSet<object>()
  let opened = 0
  let requestsReused = 0
  let told = ''
  server.on('connection', () => void opened++)
  server.on('request', ({ socket }) => {
    if (used.has(socket)) requestsReused++
    used.add(socket)
  })
  setInterval(() => {
    const now = `${opened} ${requestsReused}`
    if (now !== told) tell({ kind: 'connections', opened, requestsReused })
    told = now
  }, 200).unref()
}

/** Runs an instance; what keeps it from starting is told in one sentence, and it ends with 1. */
export function runInstance(start: (options: { port: number; folder: string }) => Server): void {
  // The stage is gone: nobody is left to serve.
  process.on('disconnect', () => process.exit(0))
  const fail = (error: unknown): void => {
    const message = error instanceof Error ? error.message : String(error)
    tell({ kind: 'failed', message })
    console.error(message)
    process.exit(1)
  }
  try {
    const [port, folder = ''] = process.argv.slice(2)
    const server = start({ port: Number(port), folder })
    server.once('error', fail)
    server.once('listening', () => tell({ kind: 'phase', phase: 'ready' }))
    tellConnections(server)
  } catch (error) {
    fail(error)
  }
}
