import { MissingComponent, startNginx } from '@hopwise/testkit/components'
import type { Side } from '../snapshot.js'
import { startFallbackProxy } from './fallback-proxy.js'

/** The proxy in front of both sides. */
export interface Proxy {
  /** How it is called on the page and in the JSON. */
  readonly name: string
  readonly ports: Readonly<Record<Side, number>>
  stop(): Promise<void>
}

/** Which proxy, and where. */
export interface ProxyChoice {
  readonly proxy: 'nginx' | 'fallback' | 'any'
  /** The nginx binary, if not the one on PATH. */
  readonly nginx: string | undefined
}

/** Starts nginx in front of both sides; where it is missing, a small proxy of the same habits, under its own name. */
export async function startProxy(upstreams: Readonly<Record<Side, readonly number[]>>, { proxy: kind, nginx: binary }: ProxyChoice): Promise<Proxy> {
  if (kind !== 'fallback') {
    try {
      const nginx = await startNginx([
        { name: 'plain', upstreamPorts: upstreams.plain },
        { name: 'hopwise', upstreamPorts: upstreams.hopwise },
      ], binary)
      const { plain = 0, hopwise = 0 } = nginx.ports
      return { name: `nginx ${nginx.version}`, ports: { plain, hopwise }, stop: nginx.stop }
    } catch (error) {
      if (kind === 'nginx' || !(error instanceof MissingComponent)) throw error
    }
  }
  const [plain, hopwise] = await Promise.all([startFallbackProxy(upstreams.plain), startFallbackProxy(upstreams.hopwise)])
  return {
    name: 'a small proxy on undici (nginx is not installed)',
    ports: { plain: plain.port, hopwise: hopwise.port },
    stop: async () => {
      await Promise.all([plain.stop(), hopwise.stop()])
    },
  }
}
