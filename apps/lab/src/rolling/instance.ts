import { gateClose } from './close-gate.js'
import type { FromInstance, InstanceOptions, ToInstance } from './messages.js'

/** An instance of the rolling scenario, a process of its own: one server, its app, and its way to stop. */
const options = JSON.parse(process.argv[2] ?? '{}') as InstanceOptions
const gate = options.gated ? gateClose() : undefined
const tell = (message: FromInstance, told = (): void => {}): void => void process.send?.(message, told)
// An instance outlives its lab by no more than this.
process.on('disconnect', () => process.exit(1))

let leaving = false
process.on('message', (message: ToInstance) => {
  if (message.kind === 'leave') leaving = true
})
// Hopwise says by itself that it is not ready, the peers as soon as they are told to stop. Once: some of them raise the
// signal again to end the process, which a listener would prevent.
if (options.server !== 'hopwise') process.once('SIGTERM', () => (leaving = true))

const drained = (forced: number): void => {
  void (gate?.passed() ?? Promise.resolve()).then(() => tell({ kind: 'drained', forced }, () => process.exit(0)))
}

// Loaded only now: nothing may have seen `close()` before it was gated.
const [{ createApp }, { serve }] = await Promise.all([import('./app.js'), import('./serve.js')])
let hop: { readonly ready: boolean } | undefined
hop = await serve({ ...options, app: createApp(options.seed, () => !leaving && (hop?.ready ?? true)), drained })
tell({ kind: 'listening' })
