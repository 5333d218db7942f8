/** A request of the lab. A POST or PUT has a small body of text. */
export interface LabRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** The lab's patience. Whoever cannot be told is left behind. */
  readonly signal: AbortSignal
}

/** What came of it; its body was read to the end. */
export interface LabAnswer {
  readonly status: number
  readonly body: string
}

/** One client under test, set up as its documentation says. */
export interface LabClient {
  /** Sends one logical request, with whatever repetitions the client makes of it. */
  send(request: LabRequest): Promise<LabAnswer>
  /** How often requests were given to the runtime, where the client tells. */
  attempts?(): number
}

/** How a client is opened. */
export interface LabClientOptions {
  /** Whether it is to speak HTTP/2 over TLS, with a server whose certificate nobody vouches for. */
  readonly http2: boolean
  /** When a client that is made for it takes silence for a loss, in milliseconds. [what it has by itself] */
  readonly silenceMs?: number
  /** Whether such a client is to send again without the limit of its budget. [no] */
  readonly withoutBudget?: boolean
}
