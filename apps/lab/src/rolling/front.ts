import { setTimeout as wait } from 'node:timers/promises'
import type { PolicyOptions } from '@hopwise/core'
import { startHaproxy, startNginx } from '@hopwise/testkit/components'
import { healthPath } from './app.js'
import type { Client } from './clients/client.js'
import { RawClient } from './clients/raw-client.js'
import { UndiciClients } from './clients/undici-client.js'

/** What stands in front of the two instances, and the clients that reach them by it. */
export interface Front {
  readonly clients: readonly Client[]
  /** Resolves when both instances are in rotation. */
  inRotation(): Promise<void>
  /** The proxy's error log. */
  errors(): Promise<string[]>
  stop(): Promise<void>
}

/** Fronts by name, with what Hopwise is told of them. */
export const fronts = {
  nginx: { start: (ports, tls, count) => startBehindNginx(ports, tls, count), policy: { chain: ['nginx'] } },
  haproxy: {
    start: (ports, tls, count) => startBehindHaproxy(ports, tls, count),
    // Two bad checks need 600 ms. A window shorter than the 300 ms between checks, each of which is a new connection.
    policy: { chain: ['haproxy'], drain: { announceFor: '1s', quietWindow: '200ms' } },
  },
  'direct-raw': { start: async (ports, tls, count) => direct(rawClients(ports, tls, count)), policy: {} },
  'direct-undici': { start: async (ports, tls, count) => startUndici(ports, tls, count), policy: {} },
} as const satisfies Readonly<Record<string, { start(ports: readonly number[], tls: boolean, clients: number): Promise<Front>; policy: PolicyOptions }>>

/** The name of a front. */
export type FrontName = keyof typeof fronts

/** All of them. */
export const frontNames = Object.keys(fronts) as FrontName[]

/** An instance that refused is passed over for `fail_timeout=1s`, and nginx counts whole seconds; it has no checks that could be asked. */
const nginxPassesOverMs = 2_100

async function startBehindNginx(upstreamPorts: readonly number[], upstreamTls: boolean, count: number): Promise<Front> {
  const nginx = await startNginx([{ name: 'rolling', upstreamPorts, upstreamTls }])
  const clients = rawClients([nginx.ports['rolling'] ?? 0], false, count)
  return {
    clients,
    inRotation: () => wait(nginxPassesOverMs),
    errors: nginx.errors,
    stop: async () => {
      for (const client of clients) client.close()
      await nginx.stop()
    },
  }
}

async function startBehindHaproxy(upstreamPorts: readonly number[], upstreamTls: boolean, count: number): Promise<Front> {
  const haproxy = await startHaproxy([{ name: 'rolling', upstreamPorts, upstreamTls, healthPath }])
  const clients = rawClients([haproxy.ports['rolling'] ?? 0], false, count)
  return {
    clients,
    inRotation: async () => {
      while ((await haproxy.up('rolling')) < upstreamPorts.length) await wait(50)
    },
    errors: haproxy.errors,
    stop: async () => {
      for (const client of clients) client.close()
      await haproxy.stop()
    },
  }
}

function startUndici(ports: readonly number[], tls: boolean, count: number): Front {
  const undici = new UndiciClients({ ports, tls }, count)
  return { ...direct(Array.from({ length: count }, () => undici.client())), stop: () => undici.close() }
}

function rawClients(ports: readonly number[], tls: boolean, count: number): RawClient[] {
  return Array.from({ length: count }, (_, index) => new RawClient({ ports, tls }, index))
}

function direct(clients: readonly Client[]): Front {
  return {
    clients,
    inRotation: async () => {},
    errors: async () => [],
    stop: async () => {
      for (const client of clients) client.close()
    },
  }
}
