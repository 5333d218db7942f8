import type { DurationInput } from '../duration.js'
import { errorText, HopwiseError } from '../errors.js'
import type { Fields } from '../http.js'
import { durationField, functionField, parseOptions, valueField } from '../options.js'
import { sharedCheck } from './shared-check.js'

/** The options of {@link createHealth}. */
export interface HealthOptions {
  /** The path of the readiness check, or `false` for none. ['/readyz'] */
  readonly readiness?: `/${string}` | false
  /** The path of the liveness check, or `false` for none. ['/livez'] */
  readonly liveness?: `/${string}` | false
  /**
   * Says whether the service can work, for readiness only: `false`, an error or no answer in time makes it 503. Checks
   * that come while one runs share its answer. [none: ready until a drain begins]
   */
  readonly check?: () => boolean | Promise<boolean>
  /** How long `check` may take. Range 10 ms to 1 min. ['1s'] */
  readonly checkTimeout?: DurationInput
  /** Is told what `check` threw, or that it took too long; the answer never says it. [`console.error`] */
  readonly onCheckFailed?: (error: unknown) => void
}

/** An answer to a health check, to be sent without its body where the method was HEAD. */
export interface HealthAnswer {
  readonly status: number
  readonly fields: Fields
  readonly body: string
}

/** Answers a request for a path of health checks; `undefined` for any other path. Takes the target with or without a query. */
export type Health = (method: string | undefined, target: string | undefined) => HealthAnswer | Promise<HealthAnswer> | undefined

/**
 * Answers the checks of orchestrators and balancers: readiness with 200, and 503 from the first moment of a drain;
 * liveness with 200 for as long as the process can answer. GET and HEAD; the path has to be exactly that.
 * @throws HopwiseError `option-unknown`, `option-invalid`; also where both have one path
 */
export function createHealth(state: { readonly ready: boolean }, options?: HealthOptions): Health {
  const { readiness, liveness, ...checking } = parseOptions('health', options, {
    readiness: pathField('/readyz'),
    liveness: pathField('/livez'),
    check: functionField<NonNullable<HealthOptions['check']>>('a function'),
    checkTimeout: durationField({ min: '10ms', max: '1m', default: '1s' }),
    onCheckFailed: { ...functionField<(error: unknown) => void>('a function'), default: (error: unknown) => console.error(`hopwise: the readiness check failed: ${errorText(error)}`) },
  })
  if (readiness !== false && readiness === liveness) throw new HopwiseError('option-invalid', `health: readiness and liveness have one path, ${JSON.stringify(readiness)}; a drain turns only one of them off`)
  const checked = checking.check === undefined ? undefined : sharedCheck(checking.check, checking.checkTimeout, checking.onCheckFailed)

  const readinessNow = (): HealthAnswer | Promise<HealthAnswer> => {
    if (!state.ready) return answer(503, 'draining')
    // A drain may have begun meanwhile.
    return checked === undefined ? answer(200, 'ready') : checked().then((passed) => (!state.ready ? answer(503, 'draining') : passed ? answer(200, 'ready') : answer(503, 'not-ready')))
  }

  return (method, target) => {
    const ready = isAt(target, readiness)
    if (!ready && !isAt(target, liveness)) return undefined
    if (method !== 'GET' && method !== 'HEAD') return { status: 405, fields: [['cache-control', 'no-store'], ['allow', 'GET, HEAD']], body: '' }
    return ready ? readinessNow() : answer(200, 'alive')
  }
}

function answer(status: number, said: 'ready' | 'draining' | 'not-ready' | 'alive'): HealthAnswer {
  return { status, fields: [['cache-control', 'no-store'], ['content-type', 'application/json']], body: `{"status":"${said}"}` }
}

/** Whether a target is this path, with or without a query. Compares only: it runs for every request of the service. */
function isAt(target: string | undefined, path: string | false): boolean {
  return path !== false && target !== undefined && target.startsWith(path) && (target.length === path.length || target[path.length] === '?')
}

function pathField(preset: `/${string}`) {
  return {
    ...valueField<`/${string}` | false>("a path that begins with '/', without a query, or false", (value) => value === false || (typeof value === 'string' && /^\/[^?#]*$/.test(value))),
    default: preset as `/${string}` | false,
  }
}
