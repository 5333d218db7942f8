import { durationField, errorText, formatDuration, functionField, parseOptions, valueField, type Duration, type DurationInput } from '@hopwise/core'
import type { DrainReport } from './events.js'

/** What a hook is given. */
export interface HookContext {
  /** Aborted at the hook's timeout, or when the shutdown is forced: nobody waits for the hook any more. */
  readonly signal: AbortSignal
  /** What the drains did, in the order of the servers. Only `after` hooks have it. */
  readonly reports?: readonly DrainReport[]
}

/** What a hook does. A promise is waited for; what it throws, or rejects with, makes it a failed one. */
export type HookFunction = (context: HookContext) => void | Promise<void>

/** A part of a shutdown that is not a server. */
export type Hook =
  | HookFunction
  | {
      /** For the report. */
      readonly name: string
      readonly run: HookFunction
      /** How long it is waited for. Range 10 ms to 10 min. [`hookTimeout`; of a task: until the drain's deadline] */
      readonly timeout?: DurationInput
    }

/** When a hook runs: before the drain, beside it, or when it is over. */
export type HookStage = 'before' | 'task' | 'after'

/** What came of a hook. */
export interface HookReport {
  /** The name that it was given, or that its function has; else its stage and number, as in `'after 2'`. */
  readonly name: string
  readonly stage: HookStage
  /** `'timed-out'`: it was not done when its time was over, or when the shutdown was forced. */
  readonly outcome: 'done' | 'failed' | 'timed-out'
  /** What it threw, or why it was not waited for. */
  readonly error?: string
  readonly milliseconds: number
}

/** A hook as it was read. */
export interface NamedHook {
  readonly name: string
  readonly run: HookFunction
  readonly timeout: Duration | undefined
}

const timeoutRange = { min: '10ms', max: '10m' } as const

/** How the options of a shutdown that concern hooks are read; what is in the lists is read by {@link readHooks}. */
export const hookFields = {
  before: hooksField(),
  tasks: hooksField(),
  after: hooksField(),
  hookTimeout: durationField({ ...timeoutRange, default: '5s' }),
}

/**
 * Reads the hooks of a stage.
 * @throws HopwiseError `option-unknown`, `option-invalid`
 */
export function readHooks(owner: string, stage: HookStage, hooks: readonly Hook[]): readonly NamedHook[] {
  return hooks.map((hook, index) => {
    const place = `${stage} ${index + 1}`
    if (typeof hook === 'function') return { name: hook.name === '' ? place : hook.name, run: hook, timeout: undefined }
    return parseOptions(`${owner}: hook "${place}"`, hook, {
      name: { ...valueField<string>('a string that is not empty', (value) => typeof value === 'string' && value !== ''), required: true as const },
      run: { ...functionField<HookFunction>('a function'), required: true as const },
      timeout: durationField(timeoutRange),
    })
  })
}

/** What ends the waiting for a hook. */
export interface HookLimits {
  readonly timeout?: Duration | undefined
  /** Each with an error as its reason: the report tells it. */
  readonly signals: readonly AbortSignal[]
}

/**
 * Calls a hook and waits until it is done, or a limit is met. Never rejects. Where a limit is met already, the hook is
 * called all the same and has this turn of the event loop: a database that closes at once is closed.
 * @param failedLate is told what a hook throws that nobody waits for any more, unless it is the reason of its signal
 */
export function runHook(hook: NamedHook, stage: HookStage, limits: HookLimits, failedLate: (error: unknown) => void, reports?: readonly DrainReport[]): Promise<HookReport> {
  const startedAt = performance.now()
  const own = new AbortController()
  const met = limits.signals.find((signal) => signal.aborted)
  if (met !== undefined) own.abort(met.reason)
  const result = call(hook.run, { signal: own.signal, ...(reports !== undefined && { reports }) })

  return new Promise((resolve) => {
    let waiting = true
    let timer: NodeJS.Timeout | undefined
    const end = (outcome: HookReport['outcome'], error?: unknown): void => {
      if (!waiting) return
      waiting = false
      clearTimeout(timer)
      for (const signal of limits.signals) signal.removeEventListener('abort', onLimit)
      resolve({ name: hook.name, stage, outcome, ...(error !== undefined && { error: errorText(error) }), milliseconds: Math.round(performance.now() - startedAt) })
    }
    const giveUp = (reason: unknown): void => {
      end('timed-out', reason)
      own.abort(reason)
    }
    const onLimit = (event: Event): void => giveUp((event.target as AbortSignal).reason)

    result.then(
      () => end('done'),
      (error: unknown) => {
        if (waiting) end('failed', error)
        else if (error !== own.signal.reason) failedLate(error)
      },
    )
    if (met !== undefined) return void setImmediate(giveUp, met.reason)
    for (const signal of limits.signals) signal.addEventListener('abort', onLimit)
    const { timeout } = limits
    if (timeout !== undefined) timer = setTimeout(() => giveUp(new Error(`not done within ${formatDuration(timeout)}`)), timeout)
  })
}

/** The promise of a function that may throw before it gives one. */
async function call(run: HookFunction, context: HookContext): Promise<void> {
  await run(context)
}

function hooksField() {
  return { ...valueField<readonly Hook[]>('a list of hooks: functions, or objects of name, run and timeout', Array.isArray), default: [] as readonly Hook[] }
}
