import { duration, durationField, errorText, Events, HopwiseError, parseOptions, valueField, type Duration, type DurationInput, type DrainPhase, type EventSource, type Parsed } from '@hopwise/core'
import type { DrainRunOptions } from './drain.js'
import type { DrainReport } from './events.js'
import { hookFields, readHooks, runHook, type Hook, type HookReport, type HookStage, type NamedHook } from './hooks.js'
import { runAtSignals, signalFields, type SignalOptions } from './signals.js'
import { TaskDeadline } from './task-deadline.js'

/** Anything that can drain: a hop. */
export interface Drainable {
  readonly phase: DrainPhase
  /** Where it has a plan, tasks have as long as that. */
  readonly policy?: { readonly drain: { readonly deadline: number } }
  /** Concurrent calls share one run; an aborted signal ends it at once. Never rejects. */
  drain(options?: DrainRunOptions): Promise<DrainReport>
}

/** The options of {@link shutdownTogether}. */
export interface ShutdownOptions {
  /** Run one after another before any server begins to drain, which is still ready then: to deregister, for example. [none] */
  readonly before?: readonly Hook[]
  /** Run beside the drain, all at once: a consumer of a queue that stops, a job that ends. [none] */
  readonly tasks?: readonly Hook[]
  /** Run one after another when all servers and tasks are done: close databases here. [none] */
  readonly after?: readonly Hook[]
  /** How long the drains may take, from when they begin. Range 0 to 1 h. [each server's own; of tasks: the longest of them, 25 s where there is none] */
  readonly deadline?: DurationInput
  /** How long a `before` or `after` hook may take that has no timeout of its own. Range 10 ms to 10 min. ['5s'] */
  readonly hookTimeout?: DurationInput
}

/** What a shutdown did, once it is over. */
export interface ShutdownReport {
  /** In the order of the servers. */
  readonly servers: readonly DrainReport[]
  /** In the order of the stages, and of the hooks in them. A drain that rejects, which no hop does, is told as a task. */
  readonly hooks: readonly HookReport[]
  readonly milliseconds: number
  /** No hook failed or timed out, no connection or handler was cut, and nobody forced the end. */
  readonly clean: boolean
}

/** What a shutdown tells. */
export interface ShutdownEvents {
  /** A hook is done, has failed, or is not waited for any more. */
  readonly hook: HookReport
  /** A hook that was not waited for any more has failed after all. */
  readonly lateFailure: { readonly name: string; readonly stage: HookStage; readonly error: string }
  /** It is over. */
  readonly done: ShutdownReport
}

/** Several servers, and whatever else has to end with them, as one. */
export interface Shutdown extends EventSource<ShutdownEvents> {
  /**
   * Runs the `before` hooks, drains the servers beside the tasks, and runs the `after` hooks. A hook that fails stops
   * nothing. Concurrent calls share one run; a later one can only bring its end nearer: `deadline` counts from its call,
   * and `signal` ends all waiting at once, for hooks too. Hooks that have not run by then are called all the same, with
   * an aborted signal, and have one turn of the event loop. Never rejects.
   * @throws HopwiseError `option-unknown`, `option-invalid`
   */
  run(options?: DrainRunOptions): Promise<ShutdownReport>
  /**
   * Runs it at the first signal, and then ends the process by that same signal. Gives a function that stops listening.
   * @throws HopwiseError `option-unknown`, `option-invalid`
   */
  listenSignals(options?: SignalOptions): () => void
}

const deadlineField = durationField({ max: '1h' })

/** How the options of a shutdown are read. */
export const shutdownFields = { ...hookFields, deadline: deadlineField }

const runFields = { deadline: deadlineField, signal: valueField<AbortSignal>('an AbortSignal', (value) => value instanceof AbortSignal) }

/**
 * One shutdown for several servers, background tasks and what they all need.
 * @example
 * const shutdown = shutdownTogether([publicHop, adminHop], {
 *   tasks: [{ name: 'queue', run: () => consumer.stop() }],
 *   after: [{ name: 'database', run: () => pool.end() }],
 * })
 * shutdown.listenSignals()
 * @throws HopwiseError `option-unknown`, `option-invalid`
 */
export function shutdownTogether(hops: readonly Drainable[], options?: ShutdownOptions): Shutdown {
  hops.forEach((hop: Partial<Drainable> | undefined, index) => {
    if (typeof hop?.drain !== 'function') throw new HopwiseError('option-invalid', `shutdownTogether: hops[${index}] has no drain(); expected what attach() gives`)
  })
  return new JointShutdown('shutdownTogether', hops, parseOptions('shutdownTogether', options, shutdownFields))
}

/** The state of a shutdown; {@link shutdownTogether} makes it. */
export class JointShutdown implements Shutdown {
  readonly on: EventSource<ShutdownEvents>['on']
  readonly #events = new Events<ShutdownEvents>()
  readonly #hops: readonly Drainable[]
  readonly #stages: Readonly<Record<HookStage, readonly NamedHook[]>>
  readonly #hookTimeout: Duration
  readonly #forced = new AbortController()
  readonly #tasksEnd = new TaskDeadline()
  #deadline: Duration | undefined
  /** The nearest deadline of a later call that came before the drains. */
  #nearer: Duration | undefined
  #draining = false
  #run: Promise<ShutdownReport> | undefined

  /** @throws HopwiseError `option-unknown`, `option-invalid` for what is wrong in a hook */
  constructor(owner: string, hops: readonly Drainable[], options: Parsed<typeof shutdownFields>) {
    this.#hops = [...hops]
    this.#stages = { before: readHooks(owner, 'before', options.before), task: readHooks(owner, 'task', options.tasks), after: readHooks(owner, 'after', options.after) }
    this.#hookTimeout = options.hookTimeout
    this.#deadline = options.deadline
    this.on = this.#events.on.bind(this.#events)
  }

  run(options?: DrainRunOptions): Promise<ShutdownReport> {
    const { deadline, signal } = parseOptions('run', options, runFields)
    if (deadline !== undefined) this.#bringNearer(deadline)
    if (signal?.aborted) this.#force()
    else signal?.addEventListener('abort', this.#force)
    this.#run ??= this.#play()
    return this.#run.finally(() => signal?.removeEventListener('abort', this.#force))
  }

  listenSignals(options?: SignalOptions): () => void {
    return runAtSignals(() => this.run(), parseOptions('listenSignals', options, signalFields))
  }

  readonly #force = (): void => this.#forced.abort(new Error('the shutdown was forced'))

  #bringNearer(deadline: Duration): void {
    if (this.#run === undefined) this.#deadline = deadline
    else if (!this.#draining) this.#nearer = Math.min(deadline, this.#nearer ?? deadline) as Duration
    else {
      this.#tasksEnd.within(deadline)
      // It shares the run of the first call, which tells what goes wrong.
      for (const hop of this.#hops) startDrain(hop, { deadline }).catch(() => {})
    }
  }

  /** Without `before` hooks the drains have begun when this gives its promise. */
  async #play(): Promise<ShutdownReport> {
    const startedAt = performance.now()
    const hooks: HookReport[] = []
    for (const hook of this.#stages.before) hooks.push(await this.#hook(hook, 'before'))

    this.#draining = true
    const drains = this.#hops.map((hop) => startDrain(hop, { ...(this.#deadline !== undefined && { deadline: this.#deadline }), signal: this.#forced.signal }))
    this.#tasksEnd.within(this.#deadline ?? longestDeadline(this.#hops))
    if (this.#nearer !== undefined) this.#bringNearer(this.#nearer)
    const tasks = this.#stages.task.map((hook) => this.#hook(hook, 'task'))
    const settled = await Promise.allSettled(drains)
    hooks.push(...(await Promise.all(tasks)))
    this.#tasksEnd.over()

    const servers = settled.flatMap((drain) => (drain.status === 'fulfilled' ? [drain.value] : []))
    for (const [index, drain] of settled.entries()) {
      if (drain.status === 'rejected') hooks.push(this.#told({ name: `drain of server ${index + 1}`, stage: 'task', outcome: 'failed', error: errorText(drain.reason), milliseconds: Math.round(performance.now() - startedAt) }))
    }
    for (const hook of this.#stages.after) hooks.push(await this.#hook(hook, 'after', servers))

    const cut = servers.some(({ closed, unfinished }) => closed.forced > 0 || unfinished > 0)
    const clean = !cut && !this.#forced.signal.aborted && hooks.every(({ outcome }) => outcome === 'done')
    const report: ShutdownReport = { servers, hooks, milliseconds: Math.round(performance.now() - startedAt), clean }
    this.#events.emit('done', () => report)
    return report
  }

  async #hook(hook: NamedHook, stage: HookStage, reports?: readonly DrainReport[]): Promise<HookReport> {
    const boundByDrain = stage === 'task' && hook.timeout === undefined
    const limits = boundByDrain ? { signals: [this.#forced.signal, this.#tasksEnd.signal] } : { timeout: hook.timeout ?? this.#hookTimeout, signals: [this.#forced.signal] }
    const failedLate = (error: unknown): void => {
      this.#events.emit('lateFailure', () => ({ name: hook.name, stage, error: errorText(error) }))
    }
    return this.#told(await runHook(hook, stage, limits, failedLate, reports))
  }

  #told(report: HookReport): HookReport {
    this.#events.emit('hook', () => report)
    return report
  }
}

/** The promise of a drain, also where it throws before it gives one. */
async function startDrain(hop: Drainable, options: DrainRunOptions): Promise<DrainReport> {
  return hop.drain(options)
}

function longestDeadline(hops: readonly Drainable[]): number {
  const known = hops.flatMap(({ policy }) => policy?.drain.deadline ?? [])
  return known.length > 0 ? Math.max(...known) : duration('25s')
}
