import type { Fault } from './faults.js'

/** One way in which a connection, or an answer, goes wrong. */
export interface Case {
  readonly name: string
  /** `undefined`: nobody listens. */
  readonly fault: Fault | undefined
  /** `'h2'`: over TLS, for clients that speak HTTP/2. */
  readonly protocol: 'http/1.1' | 'h2'
  /** Whether a good request goes before, on the connection that is then used again. */
  readonly warm: boolean
  /** Whether that connection is ended by GOAWAY before the request is sent. */
  readonly endedIdle?: boolean
  /** When the lab gives a call up. */
  readonly patienceMs: number
  /** When Hopwise's clients take silence for a loss. [what they have by themselves] */
  readonly silenceMs?: number
}

const longMs = 15_000

/** The cases, as they are named in the rows. */
export const cases: readonly Case[] = [
  ...(['reusefin', 'reuserst'] as const).map((name) => overHttp1(name, { warm: true })),
  ...(['freshfin', 'freshrst'] as const).map((name) => overHttp1(name, { warm: false })),
  { name: 'refused', fault: undefined, protocol: 'http/1.1', warm: false, patienceMs: longMs },
  ...(['midheaders', 'midbody'] as const).map((name) => overHttp1(name, { warm: true })),
  // A client that waits for ever is not waited for as long.
  { ...overHttp1('blackhole', { warm: true }), patienceMs: 3_000, silenceMs: 1_000 },
  ...(['s503', 's500'] as const).map((name) => overHttp1(name, { warm: true })),
  ...([
    'goaway-above', 'goaway-at', 'goaway-error', 'goaway-calm', 'goaway-two-step', 'goaway-two-step-above',
  ] as const).map(overHttp2),
  { ...overHttp2('none'), name: 'goaway-idle', endedIdle: true },
  overHttp2('refused-stream'),
]

function overHttp1(name: Fault, { warm }: { readonly warm: boolean }): Case {
  return { name, fault: name, protocol: 'http/1.1', warm, patienceMs: longMs }
}

function overHttp2(name: Fault): Case {
  return { ...overHttp1(name, { warm: true }), protocol: 'h2' }
}

/** The requests of each case. `POST+key` carries an Idempotency-Key. */
export const methods = ['GET', 'PUT', 'DELETE', 'POST', 'POST+key'] as const

/** One of {@link methods}. */
export type Method = (typeof methods)[number]
