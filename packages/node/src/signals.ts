import { constants } from 'node:os'
import { inspect } from 'node:util'
import { booleanField, errorText, valueField, type Parsed } from '@hopwise/core'
import type { HookReport } from './hooks.js'

/** The options of `listenSignals`. */
export interface SignalOptions {
  /** Which begin the shutdown. Any that a process can listen to. [['SIGTERM', 'SIGINT']] */
  readonly signals?: readonly NodeJS.Signals[]
  /**
   * Whether an uncaught exception, or a rejection that nobody handles, begins it as well: it is told on standard error
   * with its stack, and the process ends with 1. The request whose handler threw it has no answer; it holds its connection
   * until the deadline. [false: Node ends the process at once]
   */
  readonly uncaughtException?: boolean
}

/** How the options are read. */
export const signalFields = {
  signals: {
    ...valueField<readonly NodeJS.Signals[]>('a list of signal names, without SIGKILL and SIGSTOP', (value) => Array.isArray(value) && value.every(canBeHeard)),
    default: ['SIGTERM', 'SIGINT'] as readonly NodeJS.Signals[],
  },
  uncaughtException: booleanField(false),
}

/** Shutdowns of this process that have begun and are not over: the last one ends it. */
const unfinished = new Set<object>()
/** Whether the process is to end with 1. */
let failed = false

/**
 * Runs a shutdown at the first signal, then ends the process by that same signal, so that the parent sees what ended it
 * (128 + its number in a shell); with 1 where a hook failed or timed out, or an exception was not caught. A second signal
 * ends it at once, and so does a second exception. A terminal is told so at the first SIGINT.
 */
export function runAtSignals(run: () => Promise<{ readonly hooks: readonly HookReport[] }>, { signals, uncaughtException }: Parsed<typeof signalFields>): () => void {
  const self = {}
  let begun = false
  let exceptions = 0

  const stopListening = (): void => {
    for (const signal of signals) process.off(signal, onSignal)
    process.off('uncaughtException', onException)
  }
  const begin = async (signal?: NodeJS.Signals): Promise<void> => {
    begun = true
    unfinished.add(self)
    try {
      const { hooks } = await run()
      for (const hook of hooks) if (hook.outcome !== 'done') fail(`the ${hook.stage} hook ${JSON.stringify(hook.name)} ${hook.outcome === 'failed' ? 'failed' : 'timed out'}: ${hook.error}`)
    } catch (error) {
      fail(`the shutdown failed: ${errorText(error)}`)
    }
    unfinished.delete(self)
    if (unfinished.size === 0) end(signal)
  }
  const end = (signal?: NodeJS.Signals): void => {
    if (failed || signal === undefined) process.exit(1)
    endBy(signal)
  }
  const onSignal = (signal: NodeJS.Signals): void => {
    if (begun) return endBy(signal)
    // Whoever pressed Ctrl-C sees nothing else until the last idle connection is gone.
    if (signal === 'SIGINT' && process.stderr.isTTY && unfinished.size === 0) console.error('hopwise: shutting down; Ctrl-C once more ends it at once')
    void begin(signal)
  }
  const onException = (error: unknown, origin: NodeJS.UncaughtExceptionOrigin): void => {
    exceptions++
    const what = origin === 'unhandledRejection' ? 'rejection that nobody handled' : 'uncaught exception'
    fail(`${what}, ${exceptions === 1 ? 'shutting down' : 'the second one, ending at once'}: ${inspect(error)}`)
    if (exceptions > 1) process.exit(1)
    if (!begun) void begin()
  }
  const endBy = (signal: NodeJS.Signals): void => {
    stopListening()
    process.kill(process.pid, signal)
    // The first process of a container is spared by a signal that it does not handle.
    setImmediate(() => process.exit(128 + constants.signals[signal]))
  }

  for (const signal of signals) process.on(signal, onSignal)
  if (uncaughtException) process.on('uncaughtException', onException)
  return stopListening
}

function fail(message: string): void {
  failed = true
  console.error(`hopwise: ${message}`)
}

function canBeHeard(name: unknown): boolean {
  return typeof name === 'string' && Object.hasOwn(constants.signals, name) && name !== 'SIGKILL' && name !== 'SIGSTOP'
}
