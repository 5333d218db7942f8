import { openHttp1Site } from './http1-site.js'
import { openHttp2Site, type Http2Site } from './http2-site.js'
import type { FaultServerOptions, FromFaultServer, ToFaultServer } from './messages.js'
import type { Site } from './site.js'

/** The fault server, a process of its own: sites are opened and closed as it is told. */
const { tls } = JSON.parse(process.argv[2] ?? '{}') as FaultServerOptions
const tell = (message: FromFaultServer): void => void process.send?.(message)
const sites = new Map<number, Site & Partial<Http2Site>>()
process.on('disconnect', () => process.exit(1))

process.on('message', (message: ToFaultServer) => {
  if (message.kind === 'open') void open(message)
  else if (message.kind === 'end-idle') void endIdle(message.site)
  else void close(message.site)
})

async function open({ site, options }: ToFaultServer & { kind: 'open' }): Promise<void> {
  const opened = options.protocol === 'h2' ? await openHttp2Site(options, tls) : await openHttp1Site(options)
  sites.set(site, opened)
  tell({ kind: 'opened', site, port: opened.port })
}

async function endIdle(site: number): Promise<void> {
  await sites.get(site)?.endIdle?.()
  tell({ kind: 'idle-ended', site })
}

async function close(site: number): Promise<void> {
  const tallies = (await sites.get(site)?.close()) ?? {}
  sites.delete(site)
  tell({ kind: 'closed', site, tallies })
}

tell({ kind: 'ready' })
