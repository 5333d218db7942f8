import type { LabAnswer, LabClient, LabClientOptions, LabRequest } from './client.js'

/** The part of undici 6, 7 and 8 that the lab touches. */
export interface Undici {
  readonly Agent: new (options: object) => Dispatcher & { compose(interceptor: unknown): Dispatcher }
  readonly RetryAgent: new (agent: Dispatcher) => Dispatcher
  request(url: string, options: object): Promise<{ readonly statusCode: number; readonly body: { text(): Promise<string> } }>
}

/** It is passed on, and no more. */
type Dispatcher = object

/** The options of an agent. */
export const agentOptions = ({ http2 }: LabClientOptions): object => (http2 ? { allowH2: true, connect: { rejectUnauthorized: false } } : {})

/** Sends by undici's `request`. */
export async function sendByUndici(undici: Undici, dispatcher: Dispatcher, { url, ...options }: LabRequest): Promise<LabAnswer> {
  const { statusCode, body } = await undici.request(url, { ...options, dispatcher })
  return { status: statusCode, body: await body.text() }
}

/** A RetryAgent as it comes. */
export function retryAgent(undici: Undici, options: LabClientOptions): LabClient {
  const dispatcher = new undici.RetryAgent(new undici.Agent(agentOptions(options)))
  return { send: (request) => sendByUndici(undici, dispatcher, request) }
}
