import { request, type IncomingHttpHeaders } from 'node:http'
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import type { Snapshot } from '../snapshot.js'
import type { HistoryPoint } from './history.js'
import { servePage, type PageOptions, type ServedPage } from './serve-page.js'
import { createScriptedDemo } from './testing/scripted-demo.js'

const pages: ServedPage[] = []
const sockets: Socket[] = []

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all(pages.splice(0).map((page) => page.close()))
})

async function serve(options: Partial<PageOptions> = {}): Promise<ServedPage> {
  const page = await servePage({ snapshot: createScriptedDemo({ ok: true }).snapshot, port: 0, ...options })
  pages.push(page)
  return page
}

interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

async function ask(page: ServedPage, path: string, method = 'GET', headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const sent = request(page.url + path, { method, headers, agent: false }).end()
  const [response] = await once(sent, 'response')
  response.setEncoding('utf8')
  let body = ''
  for await (const part of response) body += part
  return { status: response.statusCode, headers: response.headers, body }
}

function dial(page: ServedPage): Socket {
  const socket = connect(Number(new URL(page.url).port), '127.0.0.1').setEncoding('utf8')
  sockets.push(socket)
  return socket
}

/** Opens an event stream and resolves once it has sent something. */
async function openStream(page: ServedPage): Promise<{ readonly socket: Socket; readonly text: string }> {
  const socket = dial(page)
  socket.write('GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n')
  const [text] = await once(socket, 'data')
  return { socket, text }
}

async function readUntil(socket: Socket, enough: (text: string) => boolean): Promise<string> {
  let text = ''
  for await (const part of socket) {
    text += part
    if (enough(text)) break
  }
  return text
}

describe('the files', () => {
  it.each([
    ['/', 'text/html; charset=utf-8', '<html lang="en">'],
    ['/?from=readme', 'text/html; charset=utf-8', '<html lang="en">'],
    ['/page.css', 'text/css; charset=utf-8', 'prefers-color-scheme'],
    ['/page.js', 'text/javascript; charset=utf-8', 'EventSource'],
    ['/chart.js', 'text/javascript; charset=utf-8', 'createChart'],
    ['/icon.svg', 'image/svg+xml', '<svg'],
    ['/uplot.js', 'text/javascript; charset=utf-8', 'export { uPlot as default }'],
    ['/uplot.css', 'text/css; charset=utf-8', '.uplot'],
  ])('answers %s', async (path, type, part) => {
    const answer = await ask(await serve(), path)
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toBe(type)
    expect(answer.body).toContain(part)
  })

  it.each(['/page.html', '/favicon.ico', '/../package.json', '/%2e%2e/package.json', '//'])('does not know %s', async (path) => {
    expect((await ask(await serve(), path)).status).toBe(404)
  })

  it.each([['POST', '/'], ['HEAD', '/'], ['DELETE', '/page.css'], ['POST', '/events'], ['OPTIONS', '/events']])('refuses %s %s', async (method, path) => {
    const answer = await ask(await serve(), path, method)
    expect([answer.status, answer.headers.allow]).toEqual([405, 'GET'])
  })

  it.each(['/', '/events-not', '/page.js'])('sends the security headers with %s', async (path) => {
    const { headers } = await ask(await serve(), path)
    expect(headers['content-security-policy']).toMatch(/^default-src 'self'(;|$)/)
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['cache-control']).toBe('no-store')
  })

  it('has no inline script or style in its HTML', async () => {
    const { body } = await ask(await serve(), '/')
    expect(body).not.toMatch(/<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)/)
  })
})

describe('the host', () => {
  it.each(['127.0.0.1', '127.0.0.1:9', 'localhost', 'LOCALHOST:8080', '[::1]:8080'])('may be %s', async (host) => {
    expect((await ask(await serve(), '/', 'GET', { host })).status).toBe(200)
  })

  it.each(['rebound.example', 'localhost.rebound.example', '127.0.0.1.rebound.example:8080', '10.0.0.1'])('may not be "%s"', async (host) => {
    const page = await serve()
    expect((await ask(page, '/', 'GET', { host })).status).toBe(421)
    expect((await ask(page, '/events', 'GET', { host })).status).toBe(421)
  })

  it('may not be missing', async () => {
    const socket = dial(await serve())
    socket.write('GET / HTTP/1.0\r\n\r\n')
    expect(await readUntil(socket, () => true)).toMatch(/^HTTP\/1\.1 421 /)
  })
})

describe('the event stream', () => {
  it('sends the history at once, and then snapshots', async () => {
    const { text, socket } = await openStream(await serve({ intervalMs: 2 }))
    expect(text).toContain('content-type: text/event-stream')
    const all = eventsOf(text + (await readUntil(socket, (more) => more.split('event: snapshot').length > 4)))
    expect(all.map((event) => event.name).slice(0, 4)).toEqual(['history', 'snapshot', 'snapshot', 'snapshot'])
    expect(all[0]?.data).toEqual([])
    expect(all[1]?.data).toMatchObject({ proxy: 'nginx 1.22.1', act: 'starting', sides: { plain: { requests: 0 } } })
  })

  it('tells a late client what happened before it came', async () => {
    const demo = createScriptedDemo({ ok: true })
    demo.playTo('done')
    const page = await new Promise<ServedPage>((resolve, reject) => {
      const served = serve({ snapshot: () => played(demo.snapshot()), intervalMs: 1 })
      const played = (now: Snapshot): Snapshot => {
        if (now.act === 'done') served.then(resolve, reject)
        return now
      }
    })
    const socket = dial(page)
    socket.write('GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n')
    const [history, first] = eventsOf(await readUntil(socket, (text) => text.includes('event: snapshot') && text.endsWith('\n\n\r\n')))
    const points = history?.data as readonly HistoryPoint[]
    expect(points).toHaveLength(181)
    expect(points.reduce((sum, point) => sum + point.plain.failed, 0)).toBe(49)
    expect(first?.data).toMatchObject({ act: 'done', sides: { plain: { failed: 49 }, hopwise: { failed: 0 } } })
  })

  it('is open to 32 at a time', async () => {
    const page = await serve()
    const streams = await Promise.all(Array.from({ length: 32 }, () => openStream(page)))
    expect(streams.every(({ text }) => text.startsWith('HTTP/1.1 200'))).toBe(true)
    expect((await ask(page, '/events')).status).toBe(503)
    expect((await ask(page, '/')).status).toBe(200)
  })

  it('has a place again when a client is gone', async () => {
    const page = await serve({ intervalMs: 2 })
    const streams = await Promise.all(Array.from({ length: 32 }, () => openStream(page)))
    streams[0]?.socket.destroy()
    let answer = await openStream(page)
    while (!answer.text.startsWith('HTTP/1.1 200')) answer = await openStream(page)
    expect(answer.text).toContain('event: history')
  })
})

interface SentEvent {
  readonly name: string
  readonly data: unknown
}

function eventsOf(text: string): readonly SentEvent[] {
  return [...text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)].map(([, name = '', data = '']) => ({ name, data: JSON.parse(data) as unknown }))
}
