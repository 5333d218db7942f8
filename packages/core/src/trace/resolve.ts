import { Events, type EventSource } from '../events.js'
import { booleanField, functionField, parseOptions } from '../options.js'
import { readBaggage, type BaggageFault } from './baggage.js'
import { createTraceIds, type RandomBytes } from './ids.js'
import { randomFlag, readTraceparent, type TraceparentFault } from './traceparent.js'
import { readTracestate, type TracestateFault } from './tracestate.js'

/** The place of one request in its trace (W3C Trace Context level 2). Kept apart from the request id. */
export interface TraceContext {
  /** The trace that the request belongs to: 32 hexadecimal characters. */
  readonly traceId: string
  /** The caller's id for this request: 16 hexadecimal characters; absent where the trace begins here. */
  readonly parentId?: string
  /** This server's own id for its part of the trace: 16 hexadecimal characters, new for each request. */
  readonly spanId: string
  /** Bit 0: the caller may have recorded the trace. Bit 1: the trace id is random. */
  readonly flags: number
  /** What tracing systems before this one say of the trace, to be passed on. */
  readonly tracestate?: string
  /** What the user's services say to each other, to be passed on. */
  readonly baggage?: string
  /** Why the trace that came was not continued. */
  readonly restarted?: TraceparentFault | 'untrusted'
}

/** Why a field was rejected. */
export type TraceFault = TraceparentFault | TracestateFault | BaggageFault

/** How many fields were rejected, by field and reason. */
export interface TraceRejections {
  readonly traceparent: Readonly<Record<TraceparentFault, number>>
  readonly tracestate: Readonly<Record<TracestateFault, number>>
  readonly baggage: Readonly<Record<BaggageFault, number>>
}

/** What {@link createTraceContext} tells. */
export interface TraceEvents {
  /** A field came that is not right; `count` is how many of this field and reason there have been. Never holds its value. */
  readonly rejected: { readonly field: keyof TraceRejections; readonly reason: TraceFault; readonly count: number }
}

/** The options of {@link createTraceContext}. */
export interface TraceContextOptions {
  /**
   * Continue the trace of the caller, and pass its tracestate and baggage on. `false` begins a new one with each request:
   * for a server that strangers call, who could otherwise choose what is sampled and what your services are told. [true]
   */
  readonly trust?: boolean
  /** Fills an array with random bytes. [crypto.getRandomValues] */
  readonly random?: RandomBytes
}

/** Resolves trace contexts; made once, at start. */
export interface TraceContexts extends EventSource<TraceEvents> {
  /** The trace context of a request; `field` gives all values of one of its fields, whose name it gets in lower case. */
  resolve(field: (name: string) => readonly string[]): TraceContext
  /** How many fields were rejected since start. */
  rejections(): TraceRejections
}

/**
 * Makes the resolver of trace contexts. A valid `traceparent` is continued, with a new span id and its sampled and random
 * flags as they are; without one a trace begins, and with an invalid one it is restarted: not sampled, with a random
 * id, and without the caller's `tracestate`. `baggage` has nothing to do with either.
 * @throws HopwiseError `option-unknown`, `option-invalid`
 */
export function createTraceContext(options?: TraceContextOptions): TraceContexts {
  const { trust, random } = parseOptions('traceContext', options, {
    trust: booleanField(true),
    random: functionField<RandomBytes>('a function that fills an array with random bytes'),
  })
  const ids = createTraceIds(random)
  const events = new Events<TraceEvents>()
  const rejections = {
    traceparent: { repeated: 0, malformed: 0, 'forbidden-version': 0, 'zero-trace-id': 0, 'zero-parent-id': 0 },
    tracestate: { malformed: 0, 'too-many-members': 0, 'too-long': 0 },
    baggage: { 'bad-character': 0, 'too-many-members': 0, 'too-long': 0 },
  }

  const reject = (field: keyof TraceRejections, reason: TraceFault | undefined): void => {
    if (reason === undefined) return
    const counts: Partial<Record<TraceFault, number>> = rejections[field]
    const count = (counts[reason] = (counts[reason] ?? 0) + 1)
    events.emit('rejected', () => ({ field, reason, count }))
  }

  const begin = (restarted?: TraceContext['restarted']): TraceContext => ({
    traceId: ids.traceId(),
    spanId: ids.spanId(),
    flags: randomFlag,
    ...(restarted !== undefined && { restarted }),
  })

  function continued(field: (name: string) => readonly string[]): TraceContext {
    const parent = readTraceparent(field('traceparent'))
    if (parent.kind === 'absent') return begin()
    if (parent.kind === 'invalid') {
      reject('traceparent', parent.reason)
      return begin(parent.reason)
    }
    const { traceId, parentId, flags } = parent
    const { value, fault } = readTracestate(field('tracestate'))
    reject('tracestate', fault)
    return { traceId, parentId, spanId: ids.spanId(), flags, ...(value !== undefined && { tracestate: value }) }
  }

  return {
    on: events.on,
    rejections: () => structuredClone(rejections),
    resolve(field) {
      if (!trust) return begin(field('traceparent').length > 0 ? 'untrusted' : undefined)
      const trace = continued(field)
      const { value, fault } = readBaggage(field('baggage'))
      reject('baggage', fault)
      return value === undefined ? trace : { ...trace, baggage: value }
    },
  }
}
