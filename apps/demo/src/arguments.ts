import { parseArgs } from 'node:util'

/** What the demo was asked to do. */
export interface Arguments {
  /** Play the acts and end, without the page. */
  readonly once: boolean
  /** Print the result as one JSON object, on the last line. */
  readonly json: boolean
  /** The page's port on 127.0.0.1; 0 for a free one. */
  readonly port: number
  /** Which proxy: nginx where it is installed, unless one is asked for. */
  readonly proxy: 'nginx' | 'fallback' | 'any'
  /** Where nginx is, if not on PATH. */
  readonly nginx: string | undefined
  /** A folder that keeps the databases; a temporary one is removed at the end. */
  readonly data: string | undefined
}

/** How the demo is called. */
export const usage = `npm run demo -- [--once] [--json] [--port N] [--proxy nginx|fallback] [--nginx PATH] [--data DIR]
  --once   play the three acts and end; no page
  --json   print one JSON object as the last line
  --port   the page's port on 127.0.0.1 (default: a free one)
  --proxy  nginx, or the small proxy that stands in where nginx is missing (default: nginx where it is installed)
  --nginx  the nginx binary (default: the one on PATH)
  --data   a folder that keeps the databases (default: a temporary one)`

/**
 * Reads the command line.
 * @throws Error with one sentence that names the argument and what is allowed
 */
export function readArguments(args: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      once: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      port: { type: 'string', default: '0' },
      proxy: { type: 'string', default: 'any' },
      nginx: { type: 'string' },
      data: { type: 'string' },
    },
  })
  const port = Number(values.port)
  if (!/^\d{1,5}$/.test(values.port) || port > 65_535) throw new Error(`--port is ${JSON.stringify(values.port)}; allowed: 0 to 65535`)
  const { proxy } = values
  if (proxy !== 'nginx' && proxy !== 'fallback' && proxy !== 'any') {
    throw new Error(`--proxy is ${JSON.stringify(proxy)}; allowed: nginx, fallback`)
  }
  return { once: values.once, json: values.json, port, proxy: values.nginx === undefined ? proxy : 'nginx', nginx: values.nginx, data: values.data }
}
