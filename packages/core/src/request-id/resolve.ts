import { Events, type EventSource } from '../events.js'
import { booleanField, fieldNameField, functionField, methodsField, parseOptions } from '../options.js'
import type { TraceContext, TraceContexts } from '../trace/resolve.js'
import { createUuid7 } from './uuid7.js'

/** Why an id that came with a request was not taken. */
export type RejectReason = 'repeated' | 'too-short' | 'too-long' | 'bad-character'

/** The id of one request. */
export interface RequestIdentity {
  /** What goes into logs, responses and the next hop's request. */
  readonly id: string
  /** `'request'` where the id came with the request and was trusted, else `'new'`. */
  readonly origin: 'request' | 'new'
  /** A valid id that came with the request and was not trusted. */
  readonly clientId?: string
  /** Why the id that came was replaced. */
  readonly rejected?: RejectReason
}

/** What {@link createRequestIds} tells. */
export interface RequestIdEvents {
  /** An id came that is not one; `count` is how many of this reason there have been. Never holds the id itself. */
  readonly rejected: { readonly reason: RejectReason; readonly count: number }
}

/** The options of {@link createRequestIds}. */
export interface RequestIdOptions {
  /** The one field that is read and answered with. ['x-request-id'] */
  readonly header?: string
  /** Take a valid id from the request. Only right where every request comes through a hop of yours that sets it. [false] */
  readonly trust?: boolean
  /** Makes a new id. [a pooled, monotonic UUIDv7] */
  readonly generate?: () => string
  /** Continues the caller's trace beside the id: what `createTraceContext()` gives. [none] */
  readonly trace?: Pick<TraceContexts, 'resolve'>
}

/** Resolves request ids; made once, at start. */
export interface RequestIds extends EventSource<RequestIdEvents> {
  /** The name of the field, in lower case. */
  readonly header: string
  /** The id for a request that came with these values of the field (none, one, or wrongly several). */
  resolve(values: readonly string[]): RequestIdentity
  /**
   * What the request's context is to know: its id, and its place in its trace where `trace` was given. `field` gives all
   * values of one of its fields, whose name it gets in lower case.
   */
  open(field: (name: string) => readonly string[]): { readonly requestId: RequestIdentity; readonly trace?: TraceContext }
  /** How many ids were rejected since start, by reason. */
  rejections(): Readonly<Record<RejectReason, number>>
}

/** 8 to 128 characters that need no escape in a log line, a URL or a header field. */
const shortest = 8
const longest = 128
const characters = /^[A-Za-z0-9._:=@/+~-]*$/

/**
 * Makes the resolver of request ids. An id is one value of one field, never from the query, and never echoed unless
 * it is 8 to 128 characters of `A-Z a-z 0-9 . _ : = @ / + ~ -`.
 * @throws HopwiseError `option-unknown`, `option-invalid`
 */
export function createRequestIds(options?: RequestIdOptions): RequestIds {
  const { header, trust, generate = createUuid7(), trace } = parseOptions('requestId', options, {
    header: fieldNameField('x-request-id'),
    trust: booleanField(false),
    generate: functionField<() => string>('a function that gives an id'),
    trace: methodsField<Pick<TraceContexts, 'resolve'>>('createTraceContext()', ['resolve']),
  })
  const events = new Events<RequestIdEvents>()
  const rejections: Record<RejectReason, number> = { repeated: 0, 'too-short': 0, 'too-long': 0, 'bad-character': 0 }

  const fresh = (more?: Partial<RequestIdentity>): RequestIdentity => ({ id: generate(), origin: 'new', ...more })
  const resolve = ([value, ...more]: readonly string[]): RequestIdentity => {
    if (value === undefined) return fresh()
    const reason = more.length > 0 ? 'repeated' : rejectReason(value)
    if (reason) {
      const count = ++rejections[reason]
      events.emit('rejected', () => ({ reason, count }))
      return fresh({ rejected: reason })
    }
    return trust ? { id: value, origin: 'request' } : fresh({ clientId: value })
  }

  return {
    header,
    on: events.on,
    rejections: () => ({ ...rejections }),
    resolve,
    open: (field) => ({ requestId: resolve(field(header)), ...(trace && { trace: trace.resolve(field) }) }),
  }
}

function rejectReason(value: string): RejectReason | undefined {
  if (value.length > longest) return 'too-long'
  if (!characters.test(value)) return 'bad-character'
  return value.length < shortest ? 'too-short' : undefined
}
