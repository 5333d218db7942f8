import { startLabChild } from '../../lab-child.js'
import { selfSigned } from '../../self-signed.js'
import type { FaultServerOptions, FromFaultServer, SiteOptions, Tally, ToFaultServer } from './messages.js'

/** A site of the running fault server. */
interface OpenSite {
  readonly origin: string
  /** HTTP/2: ends every session by GOAWAY; resolves when their clients have closed them. */
  endIdle(): Promise<void>
  /** Cuts its connections; resolves with what came, by label. */
  close(): Promise<Readonly<Record<string, Tally>>>
}

/** The fault server, running. */
export interface FaultServer {
  open(options: SiteOptions): Promise<OpenSite>
  end(): Promise<void>
}

/** Starts it, on the running Node. */
export async function startFaultServer(): Promise<FaultServer> {
  const options: FaultServerOptions = { tls: await selfSigned() }
  const child = startLabChild<FromFaultServer, ToFaultServer>(process.execPath, new URL('main.js', import.meta.url), options)
  const waiting = new Map<string, { resolve(message: FromFaultServer): void; reject(error: Error): void }>()
  const settle = (message: FromFaultServer & { readonly site: number }): void => {
    waiting.get(`${message.kind} ${message.site}`)?.resolve(message)
    waiting.delete(`${message.kind} ${message.site}`)
  }
  child.on('opened', settle)
  child.on('idle-ended', settle)
  child.on('closed', settle)
  void child.exited.then(() => {
    for (const { reject } of waiting.values()) reject(new Error('the fault server has ended'))
  })
  const answer = <Kind extends 'opened' | 'idle-ended' | 'closed'>(kind: Kind, site: number): Promise<Extract<FromFaultServer, { kind: Kind }>> =>
    new Promise((resolve, reject) => {
      waiting.set(`${kind} ${site}`, { resolve: (message) => resolve(message as Extract<FromFaultServer, { kind: Kind }>), reject })
    })
  let sites = 0
  await child.next('ready')
  return {
    async open(wanted) {
      const site = (sites += 1)
      const opened = answer('opened', site)
      child.tell({ kind: 'open', site, options: wanted })
      const { port } = await opened
      return {
        origin: `${wanted.protocol === 'h2' ? 'https' : 'http'}://127.0.0.1:${port}`,
        async endIdle() {
          const ended = answer('idle-ended', site)
          child.tell({ kind: 'end-idle', site })
          await ended
        },
        async close() {
          const closed = answer('closed', site)
          child.tell({ kind: 'close', site })
          return (await closed).tallies
        },
      }
    },
    async end() {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}
