import { duration, formatDuration, type Duration } from '../duration.js'
import { HopwiseError } from '../errors.js'
import { durationField, parseOptions, type Parsed } from '../options.js'
import { keepAtLeast } from './audit.js'
import { withoutServer, type Chain } from './chain.js'

/** The settings of an HTTP server that fit the chain in front of it. All in milliseconds. */
export interface ServerSettings {
  /** How long an idle connection is kept; what the `Keep-Alive: timeout=` hint says. */
  readonly keepAliveTimeout: Duration
  /** Added to it before the socket really closes, on runtimes that have it (Node >= 22.19, 24.6; fixed to 1 s in 20.20). */
  readonly keepAliveTimeoutBuffer: Duration
  /** How long the header of a request may take. Never above `requestTimeout`. */
  readonly headersTimeout: Duration
  /** How long a whole request may take to arrive. */
  readonly requestTimeout: Duration
}

/** What may be set by hand instead of derived. */
export interface ServerOverrides {
  /** Range 1 s to 4 h. [derived: the next multiple of 5 s above what the hop in front reuses plus the margin] */
  readonly keepAliveTimeout?: Parameters<typeof duration>[0]
  /** Range 0 to 60 s. ['1s', Node's own] */
  readonly keepAliveTimeoutBuffer?: Parameters<typeof duration>[0]
  /** Range 1 s to 4 h. [`keepAliveTimeout` and 1 s, from 60 s to 2 min, at most `requestTimeout`] */
  readonly headersTimeout?: Parameters<typeof duration>[0]
  /** Range 1 s to 24 h. [300 s, Node's own, or `headersTimeout` where that is longer] */
  readonly requestTimeout?: Parameters<typeof duration>[0]
}

/** With nobody in front, or a hop of unknown habits: what Node itself takes from version 27 (nodejs/node#62782). */
const withoutFigure = duration('65s')
/** Against a hop that never lets go of an idle connection. */
const againstUnlimited = duration('1h')

/** The longest header time that is derived. */
const longestHeader = 120_000

const overrideFields = {
  keepAliveTimeout: durationField({ min: '1s', max: '4h' }),
  keepAliveTimeoutBuffer: durationField({ max: '60s', default: '1s' }),
  headersTimeout: durationField({ min: '1s', max: '4h' }),
  requestTimeout: durationField({ min: '1s', max: '24h' }),
}

/**
 * The server's settings for a chain, with the user's own values over them.
 * @throws HopwiseError `option-invalid` where `headersTimeout` exceeds `requestTimeout`: assigned to a running server,
 * Node swaps the two in silence
 */
export function derive(chain: Chain, margin: Duration, overrides?: ServerOverrides): ServerSettings {
  const given = parseOptions('server', overrides, overrideFields)
  const keepAliveTimeout = given.keepAliveTimeout ?? derivedIdle(chain, margin)
  const { headersTimeout, requestTimeout } = arrivalLimits(given, keepAliveTimeout)
  if (headersTimeout > requestTimeout) {
    throw new HopwiseError(
      'option-invalid',
      `server: option "headersTimeout" is ${formatDuration(headersTimeout)}; allowed: at most requestTimeout (${formatDuration(requestTimeout)}), since the header is part of the request`,
    )
  }
  return { keepAliveTimeout, keepAliveTimeoutBuffer: given.keepAliveTimeoutBuffer, headersTimeout, requestTimeout }
}

function derivedIdle(chain: Chain, margin: Duration): Duration {
  const hops = withoutServer(chain)
  const server = chain.length > hops.length ? chain.at(-1) : undefined
  if (typeof server?.downstream.idle === 'number') return server.downstream.idle
  const reused = hops.findLast((hop) => hop.layer === 'http')?.upstream.idle
  if (reused === 'unlimited') return againstUnlimited
  return typeof reused === 'number' ? keepAtLeast(reused, margin) : withoutFigure
}

function arrivalLimits(given: Parsed<typeof overrideFields>, keepAliveTimeout: Duration) {
  // Node ends a connection that never spoke at headersTimeout, with a 408 that nobody asked for: a hop that connects
  // ahead of need must be able to hold such a connection as long as an idle one, up to a bound: a slow header is also
  // how connections are hoarded.
  const natural = Math.max(60_000, Math.min(keepAliveTimeout + 1_000, longestHeader))
  const headersTimeout = given.headersTimeout ?? Math.min(natural, given.requestTimeout ?? natural)
  const requestTimeout = given.requestTimeout ?? Math.max(300_000, headersTimeout)
  return { headersTimeout: headersTimeout as Duration, requestTimeout: requestTimeout as Duration }
}
