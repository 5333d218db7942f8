import type { DurationInput } from '../duration.js'
import { booleanField, durationField, fieldNameField, functionField, integerField, isToken, methodsField, parseOptions, valueField, wordField, wrongOption, type Field } from '../options.js'
import type { Incoming } from './incoming.js'
import type { Sealer } from './sealing.js'
import type { IdempotencyStore } from './store.js'

/** What is known of a request whose first owner vanished: its lease ran out with no result. */
export interface CrashedRequest {
  /** How many times the request was begun so far, 1 or more. */
  readonly attempts: number
}

/** What a crash leads to: run the handler again, or refuse for as long as the record is kept. */
export type CrashVerdict = 'retry' | 'reject'

type OnCrash = CrashVerdict | ((crashed: CrashedRequest) => CrashVerdict | Promise<CrashVerdict>)

/** The options of the idempotency engine. `Native` is the framework's request. */
export interface IdempotencyOptions<Native> {
  /** Where the keys live. */
  readonly store: IdempotencyStore
  /**
   * Who asks: an account or user id that the server has established, never a value that the client may choose. Keys of
   * different principals never meet. Required, unless `scope: 'global'` is said. A keyed request for which it gives
   * nothing is refused (400).
   */
  readonly principal?: (request: Native) => string | undefined | Promise<string | undefined>
  /** `'global'` where all callers are one and share one space of keys. ['principal'] */
  readonly scope?: 'principal' | 'global'
  /** Refuse (400) a request of these methods that has no key. [true] */
  readonly required?: boolean
  /** The methods that are protected, at least one; others pass. [['POST', 'PATCH']] */
  readonly methods?: readonly string[]
  /** The field that holds the key. ['idempotency-key'] */
  readonly header?: string
  /** How long a claim holds after its process died; renewed at a third of it while the handler runs. Range 100 ms to 1 h. ['30s'] */
  readonly lease?: DurationInput
  /** For how long the lease is renewed, or a transaction kept open, at most: the longest that a handler may take. Range 1 s to 24 h. ['15m'] */
  readonly maxRun?: DurationInput
  /** How long a result is kept and replayed. Range 1 s to 365 d. ['24h'] */
  readonly retention?: DurationInput
  /**
   * What to do with a retry of a request whose process died in the middle. `'retry'` runs the handler again, with
   * `attempt` 2: an effect outside of one database transaction may then happen twice. `'reject'` answers 409
   * `outcome-unknown` until the record is gone: it may then have happened once or not at all. ['retry']
   */
  readonly onCrash?: OnCrash
  /** The largest body of a keyed request, which is held in memory for its fingerprint; 413 beyond. Range 0 to 1 GiB. [1 MiB] */
  readonly maxRequestBytes?: number
  /** The largest response body that is kept; of a larger one only status and fields are. Range 0 to 1 GiB. [1 MiB] */
  readonly maxResponseBytes?: number
  /** How long one store operation may take. Range 10 ms to 60 s. ['500ms'] */
  readonly storeDeadline?: DurationInput
  /**
   * What makes two requests with one key the same, instead of method, target, content type and raw body: a text of any
   * length, which is hashed. {@link jsonFingerprint} makes one that does not mind the order of keys in JSON.
   */
  readonly fingerprint?: (incoming: Incoming<Native>, body: Uint8Array) => string | Promise<string>
  /** A retry while the first request runs: `'refuse'` answers 409 at once, `'wait'` waits for its result. ['refuse'] */
  readonly onConflict?: 'refuse' | 'wait'
  /** How long `onConflict: 'wait'` waits before it answers 409 all the same. Range 10 ms to 5 min. ['10s'] */
  readonly waitAtMost?: DurationInput
  /** Encrypts what is stored of responses; see `aesGcmSealer`. [responses are stored in clear] */
  readonly seal?: Sealer
  /** Where the store fails before the handler ran: `'refuse'` answers 503 with Retry-After, `'proceed'` runs unprotected. ['refuse'] */
  readonly onStoreError?: 'refuse' | 'proceed'
  /** Further response fields that no replay may carry. [[]] */
  readonly neverReplay?: readonly string[]
}

const owner = 'idempotent'
const idOfCaller = 'a function that gives the caller\'s id'
const bodySizeField = /* @__PURE__ */ integerField({ min: 0, max: 2 ** 30, default: 2 ** 20 })

/**
 * Reads the options once.
 * @throws HopwiseError `option-unknown`, `option-invalid`
 */
export function readIdempotencyOptions<Native>(options: IdempotencyOptions<Native>) {
  const settings = parseOptions(owner, options, {
    store: { ...methodsField<IdempotencyStore>('an idempotency store, such as memoryStore()', ['claim', 'complete', 'renew', 'savePhase', 'release', 'sweep']), required: true as const },
    principal: functionField<NonNullable<IdempotencyOptions<Native>['principal']>>(idOfCaller),
    scope: wordField(['principal', 'global'], 'principal'),
    required: booleanField(true),
    methods: tokensField('a list of methods, not empty', (name) => name.toUpperCase(), ['POST', 'PATCH']),
    header: fieldNameField('idempotency-key'),
    lease: durationField({ min: '100ms', max: '1h', default: '30s' }),
    maxRun: durationField({ min: '1s', max: '24h', default: '15m' }),
    retention: durationField({ min: '1s', max: '365d', default: '24h' }),
    onCrash: valueField<OnCrash, OnCrash>(
      '"retry", "reject" or a function that gives one',
      (value) => value === 'retry' || value === 'reject' || typeof value === 'function',
      'retry',
    ),
    maxRequestBytes: bodySizeField,
    maxResponseBytes: bodySizeField,
    storeDeadline: durationField({ min: '10ms', max: '60s', default: '500ms' }),
    fingerprint: functionField<NonNullable<IdempotencyOptions<Native>['fingerprint']>>('a function that gives a text'),
    onConflict: wordField(['refuse', 'wait'], 'refuse'),
    waitAtMost: durationField({ min: '10ms', max: '5m', default: '10s' }),
    seal: methodsField<Sealer>('a sealer, such as aesGcmSealer()', ['seal', 'open']),
    onStoreError: wordField(['refuse', 'proceed'], 'refuse'),
    neverReplay: tokensField('a list of field names', (name) => name.toLowerCase(), []),
  })
  // Said in so many words, so that nobody is answered with another caller's response by an oversight.
  if ((settings.scope === 'global') === (settings.principal !== undefined)) {
    throw wrongOption(owner, 'principal', `is required: ${idOfCaller}, or scope: "global" where all callers are one, not both`)
  }
  return settings
}

/** The options as the engine uses them. */
export type IdempotencySettings<Native> = ReturnType<typeof readIdempotencyOptions<Native>>

/** A list of tokens (RFC 9110 5.6.2), as a set in the case in which they are compared. */
function tokensField(allowed: string, inOneCase: (token: string) => string, preset: string[]): Field<ReadonlySet<string>> & { default: ReadonlySet<string> } {
  // An empty list is no mistake only where that is the default: without a method, nothing would be protected.
  const parse = (value: unknown) => (Array.isArray(value) && (value.length || !preset.length) && value.every(isToken) ? new Set(value.map(inOneCase)) : undefined)
  return { allowed, parse, default: new Set(preset) }
}
