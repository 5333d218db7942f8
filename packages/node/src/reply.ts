import type { ServerResponse } from 'node:http'
import type { PlainResponse } from '@hopwise/core'

/** Writes a whole plain response. Fields that earlier middleware set stay, unless the response has them itself. */
export function writeReply(response: ServerResponse, { status, fields, body }: PlainResponse): void {
  const values = new Map<string, { name: string; all: string[] }>()
  for (const [name, value] of fields) {
    const entry = values.get(name.toLowerCase()) ?? { name, all: [] }
    entry.all.push(value)
    values.set(name.toLowerCase(), entry)
  }
  for (const { name, all } of values.values()) response.setHeader(name, all.length === 1 ? (all[0] ?? '') : all)
  response.statusCode = status
  const bodiless = status === 204 || status === 304
  if (bodiless) response.removeHeader('content-length')
  else response.setHeader('content-length', body.length)
  response.end(bodiless ? undefined : body)
}
