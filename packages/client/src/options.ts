import { durationField, fieldNameField, functionField, HopwiseError, integerField, parseOptions, show, valueField, type ChainInput, type DurationInput, type Field } from '@hopwise/core'
import { createBudget, type BudgetRules } from './budget.js'
import { systemClock, type Clock } from './clock.js'
import { chainIdleLimit, createIdleLimits, type IdleLimits } from './idle-limit.js'
import type { JudgeSettings } from './judge.js'
import { retryStatuses, verdictRules, type VerdictRules } from './retry-rules.js'

/** How calls are sent again by policy. Repairs are another matter, and always made. */
export interface RetryOptions {
  /** How many attempts in all, repairs not counted. Range 1 to 10. [3] */
  readonly attempts?: number
  /** The first delay is random between 0 and this; it doubles with each retry. Range 1 ms to 1 min. ['50ms'] */
  readonly baseDelay?: DurationInput
  /** No random delay is longer. Range 1 ms to 10 min. ['5s'] */
  readonly maxDelay?: DurationInput
  /** A response that asks for a longer wait is handed back at once. Range 0 to 1 h. ['30s'] */
  readonly maxRetryAfter?: DurationInput
  /** Which statuses are tried again. [408, 425, 429, 502, 503, 504] */
  readonly statuses?: readonly number[]
}

/** How much retries by policy may add to the traffic of one origin. */
export interface BudgetOptions {
  /** How many retries an origin has in store. Range 1 to 1,000. [10] */
  readonly tokens?: number
  /** What a successful call gives back, in retries. Range 0.01 to 1. [0.1] */
  readonly perSuccess?: number
}

/** What a function for `idempotencyKey` is told of a request. */
export interface KeyedRequest {
  readonly method: string
  readonly url: URL
}

/** Makes the key of a request that has none; `undefined`: it gets none. */
export type KeyMaker = (request: KeyedRequest) => string | undefined

/** The options that every binding of the client has. */
export interface CommonOptions {
  /** The hops from this client to the server, the nearest first: idle connections are closed before the first hop does. */
  readonly chain?: ChainInput
  /** How much earlier. Range 0 to 60 s. ['3s'] */
  readonly margin?: DurationInput
  /** The policy; `false` leaves repairs only. */
  readonly retry?: false | RetryOptions
  /** The budget of the policy, for each origin; `false`: no limit but the attempts. */
  readonly budget?: false | BudgetOptions
  /**
   * Origins that honour Idempotency-Key, and that belong to you: a key is made for them only, and only they are told `traceparent`,
   * `tracestate` and `baggage`. [[]]
   */
  readonly trustedOrigins?: readonly string[]
  /**
   * `'auto'`: a POST or PATCH to a trusted origin that has no key gets one, a random UUID. A function makes it instead, for the same
   * requests. `'none'`: no key is made. A key that the caller sends is taken as it is, for any origin. ['auto']
   */
  readonly idempotencyKey?: 'auto' | 'none' | KeyMaker
  /** The field of the key; none that is about the body, the connection, the caller or the trace. ['idempotency-key'] */
  readonly idempotencyKeyHeader?: string
  /** The field of the request id; none of those, nor that of the key. ['x-request-id'] */
  readonly requestIdHeader?: string
  /** How long a call may take with all its attempts, waits and redirects, and its body. Range 1 ms to 24 d. [no limit] */
  readonly deadline?: DurationInput
  /**
   * How long an attempt may take until its response begins; time in the queue of a pool counts. On Node, an upload over HTTP/1 is waited
   * for as long again as often as the system has taken more of it meanwhile. Range 1 ms to 24 d. ['60s']
   */
  readonly firstByteTimeout?: DurationInput
  /** The clock; for tests. [the runtime's] */
  readonly clock?: Clock
  /** From 0 to below 1; for tests. [Math.random] */
  readonly random?: () => number
}

/** Options, read. */
export interface Settings {
  readonly judge: JudgeSettings
  readonly idle: IdleLimits
  readonly trusted: ReadonlySet<string>
  readonly idempotencyKey: 'auto' | 'none' | KeyMaker
  readonly keyField: string
  readonly requestIdField: string
  /** Milliseconds; `Infinity` without a limit. */
  readonly deadline: number
  readonly firstByteTimeout: number
  readonly clock: Clock
}

const longest = '24d'

const originsAllowed = 'origins without a path or a wildcard, such as "https://api.example.com"'

/** Fields that mean something else to whoever is on the way. */
const taken = /^(?:authorization|baggage|connection|content-.+|(?:set-)?cookie|expect|host|keep-alive|proxy-.+|te|trace(?:parent|state)|trailer|transfer-encoding|upgrade)$/

const ownField = (preset: string): Field<string> & { default: string } => {
  const { parse } = fieldNameField(preset)
  return { allowed: 'a field name that is not about the body, the connection, the caller or the trace', parse: (value) => (taken.test(parse(value) ?? '') ? undefined : parse(value)), default: preset }
}

const objectField = <T extends object>(fields: string): Field<false | T> =>
  valueField<false | T>(`false, or an object { ${fields} }`, (value) => value === false || (typeof value === 'object' && value !== null))

/** The fields of {@link CommonOptions}, for {@link readSettings}. */
export const commonFields = {
  chain: valueField<ChainInput>('a list of hops, from the client to the server', Array.isArray),
  margin: durationField({ max: '60s', default: '3s' }),
  retry: objectField<RetryOptions>('attempts, baseDelay, maxDelay, maxRetryAfter, statuses'),
  budget: objectField<BudgetOptions>('tokens, perSuccess'),
  trustedOrigins: valueField<readonly string[], readonly string[]>(`a list of ${originsAllowed}`, Array.isArray, []),
  idempotencyKey: valueField<'auto' | 'none' | KeyMaker, 'auto'>("'auto', 'none', or a function that makes the key", isKeyOption, 'auto'),
  idempotencyKeyHeader: ownField('idempotency-key'),
  requestIdHeader: ownField('x-request-id'),
  deadline: durationField({ min: '1ms', max: longest }),
  firstByteTimeout: durationField({ min: '1ms', max: longest, default: '60s' }),
  clock: valueField<Clock, Clock>('a clock: now(), wall(), after()', isClock, systemClock),
  random: functionField<() => number>('a function that gives numbers from 0 to below 1'),
}

type CommonValues = ReturnType<typeof parseOptions<typeof commonFields>>

/**
 * What the parsed options of a binding come to.
 * @param rules what follows from a verdict; for tests
 * @throws HopwiseError `option-unknown`, `option-invalid`, `chain-invalid`
 */
export function readSettings(owner: string, given: CommonValues, rules: VerdictRules = verdictRules): Settings {
  const { clock, trustedOrigins } = given
  const wrong = trustedOrigins.findIndex((origin) => !isOrigin(origin))
  if (wrong !== -1) throw new HopwiseError('option-invalid', `${owner}: option "trustedOrigins" has ${show(trustedOrigins[wrong])}; allowed: ${originsAllowed}`)
  if (given.idempotencyKeyHeader === given.requestIdHeader) throw new HopwiseError('option-invalid', `${owner}: option "requestIdHeader" is the field of the key; allowed: another one`)
  const budget = given.budget === false ? undefined : createBudget(readBudget(`${owner}.budget`, given.budget))
  const policy = given.retry === false ? undefined : readRetry(`${owner}.retry`, given.retry)
  return {
    judge: { rules, random: given.random ?? Math.random, ...(policy !== undefined && { policy }), ...(budget !== undefined && { budget }) },
    idle: createIdleLimits(given.chain === undefined ? undefined : chainIdleLimit(given.chain, given.margin), clock.now),
    trusted: new Set(trustedOrigins.map((origin) => new URL(origin).origin)),
    idempotencyKey: given.idempotencyKey,
    keyField: given.idempotencyKeyHeader,
    requestIdField: given.requestIdHeader,
    deadline: given.deadline ?? Infinity,
    firstByteTimeout: given.firstByteTimeout,
    clock,
  }
}

function readRetry(owner: string, options: RetryOptions | undefined) {
  const rules = parseOptions(owner, options, {
    attempts: integerField({ min: 1, max: 10, default: 3 }),
    baseDelay: durationField({ min: '1ms', max: '1m', default: '50ms' }),
    maxDelay: durationField({ min: '1ms', max: '10m', default: '5s' }),
    maxRetryAfter: durationField({ max: '1h', default: '30s' }),
    statuses: valueField<readonly number[], readonly number[]>('a list of statuses from 400 to 599', (value) => Array.isArray(value) && value.every(isErrorStatus), retryStatuses),
  })
  if (rules.baseDelay > rules.maxDelay) throw new HopwiseError('option-invalid', `${owner}: option "baseDelay" is longer than maxDelay`)
  return rules
}

function readBudget(owner: string, options: BudgetOptions | undefined): BudgetRules {
  return parseOptions(owner, options, {
    tokens: integerField({ min: 1, max: 1_000, default: 10 }),
    perSuccess: valueField<number, number>('a number from 0.01 to 1', (value) => typeof value === 'number' && value >= 0.01 && value <= 1, 0.1),
  })
}

function isErrorStatus(status: unknown): boolean {
  return Number.isInteger(status) && Number(status) >= 400 && Number(status) <= 599
}

function isKeyOption(value: unknown): boolean {
  return value === 'auto' || value === 'none' || typeof value === 'function'
}

function isOrigin(value: unknown): boolean {
  if (typeof value !== 'string' || !URL.canParse(value)) return false
  const url = new URL(value)
  // A path would be taken for a limit that nobody checks.
  return (url.protocol === 'https:' || url.protocol === 'http:') && url.href === `${url.origin}/` && !url.hostname.includes('*')
}

function isClock(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ['now', 'wall', 'after'].every((name) => name in value && typeof value[name as keyof typeof value] === 'function')
}
