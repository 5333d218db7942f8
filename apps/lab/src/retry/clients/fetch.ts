import type { LabAnswer, LabClient, LabRequest } from './client.js'

/** What the lab needs of a fetch. */
export type LabFetch = (url: string, init: RequestInit) => Promise<Response>

/** Sends by a fetch. */
export async function sendByFetch(fetch: LabFetch, { url, ...init }: LabRequest): Promise<LabAnswer> {
  const response = await fetch(url, init)
  return { status: response.status, body: await response.text() }
}

/** The runtime's own fetch. */
export function open(): LabClient {
  return { send: (request) => sendByFetch(fetch, request) }
}
