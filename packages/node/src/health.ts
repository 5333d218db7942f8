import { durationField, errorText, Events, formatDuration, functionField, HopwiseError, parseOptions, valueField, type Duration, type DurationInput } from '@hopwise/core'

/** The options of {@link healthHandler}. */
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

/** What is read of a request of `node:http`, `node:http2` or a framework on them. */
export interface HealthRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
}

/** What is used of its response. */
export interface HealthResponse {
  statusCode: number
  readonly headersSent: boolean
  setHeader(name: string, value: string | number): unknown
  end(): unknown
  end(body: string): unknown
}

/** A middleware, or a whole request listener: where there is no `next`, other paths are answered with 404. */
export type HealthHandler = (request: HealthRequest, response: HealthResponse, next?: (error?: unknown) => void) => void

/**
 * Answers the checks of orchestrators and balancers: readiness with 200, and 503 from the first moment of a drain;
 * liveness with 200 for as long as the process can answer. GET and HEAD, with or without a query; the path has to be
 * exactly that. Put it first, where no middleware asks for authentication, and no limiter counts.
 * @throws HopwiseError `option-unknown`, `option-invalid`; also where both have one path
 */
export function healthHandler(state: { readonly ready: boolean }, options?: HealthOptions): HealthHandler {
  const { readiness, liveness, ...checking } = parseOptions('health', options, {
    readiness: pathField('/readyz'),
    liveness: pathField('/livez'),
    check: functionField<NonNullable<HealthOptions['check']>>('a function'),
    checkTimeout: durationField({ min: 10, max: '1m', default: '1s' }),
    onCheckFailed: { ...functionField<(error: unknown) => void>('a function'), default: (error: unknown) => console.error(`hopwise: the readiness check failed: ${errorText(error)}`) },
  })
  if (readiness !== false && readiness === liveness) throw new HopwiseError('option-invalid', `health: readiness and liveness have one path, ${JSON.stringify(readiness)}; a drain turns only one of them off`)
  const checked = checking.check === undefined ? undefined : sharedCheck(checking.check, checking.checkTimeout, checking.onCheckFailed)

  const answerReadiness = (response: HealthResponse, head: boolean): void => {
    if (!state.ready) return answer(response, 503, 'draining', head)
    if (checked === undefined) return answer(response, 200, 'ready', head)
    void checked().then((passed) => {
      // Somebody who lost patience, such as a time limit for all requests, may have answered meanwhile.
      if (response.headersSent) return
      // So may a drain have begun.
      if (!state.ready) answer(response, 503, 'draining', head)
      else answer(response, passed ? 200 : 503, passed ? 'ready' : 'not-ready', head)
    })
  }

  return (request, response, next) => {
    const { url } = request
    const ready = isAt(url, readiness)
    if (!ready && !isAt(url, liveness)) {
      if (next !== undefined) return next()
      response.statusCode = 404
      return void response.end()
    }
    response.setHeader('cache-control', 'no-store')
    const head = request.method === 'HEAD'
    if (!head && request.method !== 'GET') {
      response.statusCode = 405
      response.setHeader('allow', 'GET, HEAD')
      return void response.end()
    }
    if (ready) answerReadiness(response, head)
    else answer(response, 200, 'alive', head)
  }
}

type Status = 'ready' | 'draining' | 'not-ready' | 'alive'

function answer(response: HealthResponse, code: number, status: Status, head: boolean): void {
  const body = `{"status":"${status}"}`
  response.statusCode = code
  response.setHeader('content-type', 'application/json')
  response.setHeader('content-length', body.length)
  if (head) response.end()
  else response.end(body)
}

/** Whether a target is this path, with or without a query. Compares only: it runs for every request of the service. */
function isAt(url: string | undefined, path: string | false): boolean {
  return path !== false && url !== undefined && url.startsWith(path) && (url.length === path.length || url[path.length] === '?')
}

function pathField(preset: `/${string}`) {
  return {
    ...valueField<`/${string}` | false>("a path that begins with '/', without a query, or false", (value) => value === false || (typeof value === 'string' && /^\/[^?#]*$/.test(value))),
    default: preset as `/${string}` | false,
  }
}

/** What {@link sharedCheck} tells. */
interface CheckEvents {
  readonly failed: unknown
}

/** One check at a time, for all who ask meanwhile: probes that come faster than a slow check is done do not pile up. */
function sharedCheck(check: () => boolean | Promise<boolean>, timeout: Duration, onFailed: (error: unknown) => void): () => Promise<boolean> {
  // For the way in which it deals with a listener that throws.
  const events = new Events<CheckEvents>()
  events.on('failed', onFailed)
  let running: Promise<boolean> | undefined
  return () => {
    running ??= runCheck(check, timeout, events).finally(() => {
      running = undefined
    })
    return running
  }
}

/** Never rejects. What a check throws after its time is not told: that it was late is. */
async function runCheck(check: () => boolean | Promise<boolean>, timeout: Duration, events: Events<CheckEvents>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${formatDuration(timeout)}`)), timeout)
  })
  try {
    const passed: unknown = await Promise.race([check(), late])
    if (typeof passed !== 'boolean') throw new TypeError(`expected true or false, got ${typeof passed}`)
    return passed
  } catch (error) {
    events.emit('failed', () => error)
    return false
  } finally {
    clearTimeout(timer)
  }
}
