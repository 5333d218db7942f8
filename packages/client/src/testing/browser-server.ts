import { startFaultServer, type Fault, type FaultServer, type SeenRequest } from './fault-server.js'

/** What a server says to pages of other origins. */
export interface Cors {
  /** `Access-Control-Allow-Headers` of a preflight. ['*'] */
  readonly allow?: string
  /** `Access-Control-Expose-Headers` of a response. [none] */
  readonly expose?: string
  /** Whether a preflight's connection is closed with its answer, so that the request itself is on a fresh one. [false] */
  readonly preflightCloses?: boolean
}

/** A fault server for pages of other origins, which answers preflights by itself. */
export interface CorsServer extends Omit<FaultServer, 'count'> {
  /** The requests for a target, in order, without preflights. */
  requests(target: string): readonly SeenRequest[]
  /** The preflights for a target, in order. */
  preflights(target: string): readonly SeenRequest[]
}

/** Starts a fault server with CORS. `decide` sees no preflight, and `before` does not count them. */
export async function startCorsServer(decide: (request: SeenRequest) => Fault, { allow = '*', expose, preflightCloses = false }: Cors = {}): Promise<CorsServer> {
  const allowOrigin = { 'access-control-allow-origin': '*' }
  const before = new Map<string, number>()
  const server = await startFaultServer((request) => {
    const { method, target } = request
    if (method === 'OPTIONS') {
      const fields = { ...allowOrigin, 'access-control-allow-methods': '*', 'access-control-allow-headers': allow, ...(preflightCloses && { connection: 'close' }) }
      return { status: 204, fields }
    }
    const count = before.get(target) ?? 0
    before.set(target, count + 1)
    const fault = decide({ ...request, before: count })
    if (typeof fault === 'string') return fault
    return { ...fault, fields: { ...allowOrigin, ...(expose !== undefined && { 'access-control-expose-headers': expose }), ...fault.fields } }
  })
  const seen = (target: string, isPreflight: boolean): readonly SeenRequest[] =>
    server.seen.filter((request) => request.target === target && (request.method === 'OPTIONS') === isPreflight)
  return { ...server, requests: (target) => seen(target, false), preflights: (target) => seen(target, true) }
}
