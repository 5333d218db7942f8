import { formatDuration, wholeSeconds, type Duration } from '../duration.js'
import { overrideHop, type Hop, type HopOptions } from './hop.js'

const seconds = (value: number): Duration => (value * 1_000) as Duration

/**
 * AWS Application Load Balancer. One setting, `idle_timeout.timeout_seconds` (60 s, 1–4000 s), rules both sides;
 * a reused target connection that is dead gives 502. Idle target connections end at deregistration. Since the setting
 * is one, an `idle` that is said of one side holds for both.
 */
export function alb(options?: HopOptions): Hop {
  const said = options?.downstream ?? options?.upstream
  const configure = (idle: Duration) =>
    `aws elbv2 modify-load-balancer-attributes --load-balancer-arn <arn> --attributes Key=idle_timeout.timeout_seconds,Value=${wholeSeconds(idle)}`
  return overrideHop('alb', {
    name: 'alb',
    product: 'alb',
    layer: 'http',
    downstream: { idle: seconds(60) },
    upstream: { idle: seconds(60) },
    replay: 'none',
    failover: 'deregistration',
    configure: { downstream: configure, upstream: configure },
    source: {
      reference: 'https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html',
      date: '2026-11-24',
    },
  }, said === undefined ? options : { downstream: said, upstream: said, ...options })
}

/**
 * nginx as a reverse proxy with upstream keep-alive: 75 s towards clients, 60 s towards servers (the default of an
 * `upstream` block from 1.29.7; before, once `keepalive` is set there). A dead reused connection gets one more try,
 * but not for POST, LOCK and PATCH: 502. Without upstream keep-alive say `upstream: { idle: 'none' }`.
 */
export function nginx(options?: HopOptions): Hop {
  return overrideHop('nginx', {
    name: 'nginx',
    product: 'nginx',
    layer: 'http',
    downstream: { idle: seconds(75) },
    upstream: { idle: seconds(60) },
    replay: 'idempotent-methods',
    failover: 'connect',
    configure: {
      downstream: (idle) => `keepalive_timeout ${formatDuration(idle)};`,
      upstream: (idle) => `upstream <name> { keepalive_timeout ${formatDuration(idle)}; }`,
    },
    source: { reference: 'https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive_timeout', date: '2026-11-24' },
  }, options)
}

/**
 * HAProxy. Its client side has no built-in idle limit (`timeout http-keep-alive`, else `timeout http-request`, else
 * `timeout client`): say yours. Its server side has none at all: a lone idle connection was seen to go after about
 * 15 s (2.6.12, `pool-purge-delay`), but nothing promises that. A dead reused connection closes the client's.
 */
export function haproxy(options?: HopOptions): Hop {
  return overrideHop('haproxy', {
    name: 'haproxy',
    product: 'haproxy',
    layer: 'http',
    downstream: { idle: 'unknown' },
    upstream: { idle: 'unlimited' },
    replay: 'none',
    failover: 'health-check',
    configure: { downstream: (idle) => `timeout http-keep-alive ${formatDuration(idle)}` },
    source: { reference: 'https://docs.haproxy.org/2.6/configuration.html#4-timeout%20http-keep-alive', date: '2026-11-24' },
  }, options)
}

/**
 * A Node.js HTTP server as it is without Hopwise: `server.keepAliveTimeout` of 5 s. (From Node 20 the socket really
 * goes one second later; what is advertised is 5 s.) Only useful as the last hop of a chain, to audit what is there.
 */
export function nodeServer(options?: HopOptions): Hop {
  return overrideHop('nodeServer', {
    name: 'node',
    product: 'node',
    layer: 'http',
    downstream: { idle: seconds(5) },
    upstream: { idle: 'none' },
    replay: 'none',
    failover: 'none',
    configure: { downstream: (idle) => `server.keepAliveTimeout = ${idle}` },
    source: { reference: 'https://nodejs.org/api/http.html#serverkeepalivetimeout', date: '2026-11-24' },
  }, options)
}

/** The presets by the name that a chain may use instead of calling them. */
export const presets = { alb, nginx, haproxy, node: nodeServer } as const

/** The name of a preset. */
export type PresetName = keyof typeof presets
