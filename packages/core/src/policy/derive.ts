import { duration, formatDuration, type Duration } from '../duration.js'
import { HopwiseError } from '../errors.js'
import { durationField, integerField, parseOptions } from '../options.js'
import { keepAtLeast } from './audit.js'
import { withoutServer, type Chain } from './chain.js'

/** The settings of an HTTP server that fit the chain in front of it. All in milliseconds. */
export interface ServerSettings {
  /** How long an idle connection is kept; what the `Keep-Alive: timeout=` hint says. */
  readonly keepAliveTimeout: Duration
  /** Added to it before the socket really closes, on runtimes that have it (Node >= 22.19, 24.6; fixed to 1 s in 20.20). */
  readonly keepAliveTimeoutBuffer: Duration
  /** How long the header of a request may take from its first byte. Never above `requestTimeout`. */
  readonly headersTimeout: Duration
  /** How long a whole request may take to arrive, from its first byte. */
  readonly requestTimeout: Duration
  /** How many connections may be open; one more is answered 503 and closed. Absent: no limit. */
  readonly maxConnections?: number
  /** After how long a connection ends with its next response, ± 10 % so that not all end at once. Absent: no limit. */
  readonly maxConnectionAge?: Duration
  /** After how many requests a connection ends. Those that were sent ahead (pipelined) are served. Absent: no limit. */
  readonly maxRequestsPerConnection?: number
}

/** What may be set by hand instead of derived. */
export interface ServerOverrides {
  /** Range 1 s to 4 h. [derived: the next multiple of 5 s above what the hop in front reuses plus the margin] */
  readonly keepAliveTimeout?: Parameters<typeof duration>[0]
  /** Range 0 to 60 s. ['1s', Node's own] */
  readonly keepAliveTimeoutBuffer?: Parameters<typeof duration>[0]
  /** Range 1 s to 4 h. [60 s, Node's own, or `requestTimeout` where that is shorter] */
  readonly headersTimeout?: Parameters<typeof duration>[0]
  /** Range 1 s to 24 h. [300 s, Node's own, or `headersTimeout` where that is longer] */
  readonly requestTimeout?: Parameters<typeof duration>[0]
  /** Range 1 to 1,000,000. [no limit, as Node] */
  readonly maxConnections?: number
  /** Range 1 s to 7 d. [no limit] */
  readonly maxConnectionAge?: Parameters<typeof duration>[0]
  /** Range 1 to 1,000,000,000. [no limit] */
  readonly maxRequestsPerConnection?: number
}

/** With nobody in front, or a hop of unknown habits: what Node itself takes from version 27 (nodejs/node#62782). */
const withoutFigure = duration('65s')
/** Against a hop that never lets go of an idle connection. */
const againstUnlimited = duration('1h')

const overrideFields = {
  keepAliveTimeout: durationField({ min: '1s', max: '4h' }),
  keepAliveTimeoutBuffer: durationField({ max: '60s', default: '1s' }),
  headersTimeout: durationField({ min: '1s', max: '4h' }),
  requestTimeout: durationField({ min: '1s', max: '24h' }),
  maxConnections: integerField({ min: 1, max: 1_000_000 }),
  maxConnectionAge: durationField({ min: '1s', max: '7d' }),
  maxRequestsPerConnection: integerField({ min: 1, max: 1_000_000_000 }),
}

/**
 * The server's settings for a chain, with the user's own values over them.
 * @throws HopwiseError `option-invalid` where `headersTimeout` exceeds `requestTimeout`: assigned to a running server,
 * Node swaps the two in silence
 */
export function derive(chain: Chain, margin: Duration, overrides?: ServerOverrides): ServerSettings {
  const given = parseOptions('server', overrides, overrideFields)
  const keepAliveTimeout = given.keepAliveTimeout ?? derivedIdle(chain, margin)
  const headersTimeout = given.headersTimeout ?? (Math.min(60_000, given.requestTimeout ?? 60_000) as Duration)
  const requestTimeout = given.requestTimeout ?? (Math.max(300_000, headersTimeout) as Duration)
  if (headersTimeout > requestTimeout) {
    throw new HopwiseError(
      'option-invalid',
      `server: option "headersTimeout" is ${formatDuration(headersTimeout)}; allowed: at most requestTimeout (${formatDuration(requestTimeout)}), since the header is part of the request`,
    )
  }
  const { keepAliveTimeoutBuffer, maxConnections, maxConnectionAge, maxRequestsPerConnection } = given
  return {
    keepAliveTimeout,
    keepAliveTimeoutBuffer,
    headersTimeout,
    requestTimeout,
    ...(maxConnections !== undefined && { maxConnections }),
    ...(maxConnectionAge !== undefined && { maxConnectionAge }),
    ...(maxRequestsPerConnection !== undefined && { maxRequestsPerConnection }),
  }
}

function derivedIdle(chain: Chain, margin: Duration): Duration {
  const hops = withoutServer(chain)
  const server = chain.length > hops.length ? chain.at(-1) : undefined
  if (typeof server?.downstream.idle === 'number') return server.downstream.idle
  const reused = hops.findLast((hop) => hop.layer === 'http')?.upstream.idle
  if (reused === 'unlimited') return againstUnlimited
  return typeof reused === 'number' ? keepAtLeast(reused, margin) : withoutFigure
}
