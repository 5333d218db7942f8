import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import { setTimeout as wait } from 'node:timers/promises'
import { orSilence, type Case } from '../case.js'

/** A stream that is opened so long after the stop. */
const lateMs = 20

/** Two streams of one HTTP/2 connection. */
export const http2: readonly Case[] = [twoStreams('T12', 'h2c'), twoStreams('T13', 'h2')]

function twoStreams(name: string, protocol: 'h2c' | 'h2'): Case {
  return {
    name,
    about: `${protocol}: a stream in flight and one opened right after the stop: the first one done, the other one done or refused, and GOAWAY`,
    protocol,
    run: async ({ port, began, stop }) => {
      const session = connect(`${protocol === 'h2' ? 'https' : 'http'}://127.0.0.1:${port}`, { rejectUnauthorized: false })
      session.on('error', () => {})
      const goaways: string[] = []
      session.on('goaway', (code: number, last: number) => goaways.push(`(${code},${last})`))
      const begun = began()
      const slow = outcomeOf(session, '/slow')
      await begun
      stop()
      await wait(lateMs)
      const late = outcomeOf(session, '/late')
      const [a, b] = [await slow, await late]
      // The last word may come after the last stream.
      await orSilence(new Promise<void>((resolve) => (session.closed ? resolve() : session.once('close', resolve))), undefined)
      session.destroy()
      return { outcome: `A=${a} B=${b} goaway=${goaways.join('') || 'none'}`, right: a === 'slow-done' && (b === 'late' || b === 'refused') && goaways.length > 0 }
    },
  }
}

function outcomeOf(session: ClientHttp2Session, path: string): Promise<string> {
  let stream: ClientHttp2Stream
  try {
    stream = session.request({ ':path': path })
  } catch (error) {
    return Promise.resolve(refusedBefore(error) ? 'refused' : `ERR:${codeOf(error)}`)
  }
  const outcome = new Promise<string>((resolve) => {
    let body = ''
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      body += text
    })
    stream.once('end', () => resolve(body === '' ? 'empty' : body))
    stream.once('error', (error) => resolve(stream.rstCode === constants.NGHTTP2_REFUSED_STREAM || refusedBefore(error) ? 'refused' : `ERR:${codeOf(error)}`))
    stream.once('close', () => resolve(stream.rstCode === constants.NGHTTP2_REFUSED_STREAM ? 'refused' : 'empty'))
  })
  return orSilence(outcome, 'silence')
}

/** The client knew by GOAWAY, or by the closed session, before it sent anything. */
function refusedBefore(error: unknown): boolean {
  return ['ERR_HTTP2_GOAWAY_SESSION', 'ERR_HTTP2_INVALID_SESSION'].includes(codeOf(error))
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error)
}
