import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { answerWithinMs, body, path, type Method, type Outcome } from './client.js'

const requests: Readonly<Record<Method, string>> = {
  GET: `GET ${path} HTTP/1.1\r\nHost: lab\r\n\r\n`,
  POST: `POST ${path} HTTP/1.1\r\nHost: lab\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
}

/** A keep-alive connection, and no more than that: nothing is written twice. */
export class KeptConnection {
  readonly #socket: Socket
  #received = ''
  #answered: ((outcome: Outcome) => void) | undefined
  #usable = true

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => this.#read(text))
    socket.on('error', (error: NodeJS.ErrnoException) => this.#over(error.code ?? error.message))
    socket.on('end', () => this.#ended())
    socket.on('close', () => this.#over('closed'))
  }

  /** Whether the server has said nothing against one more request: no FIN, no `Connection: close`. */
  get usable(): boolean {
    return this.#usable
  }

  /** Sends a request and waits for its answer. */
  send(method: Method): Promise<Outcome> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#over('timeout'), answerWithinMs)
      this.#answered = (outcome) => {
        clearTimeout(timer)
        resolve(outcome)
      }
      this.#socket.write(requests[method])
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(text: string): void {
    this.#received += text
    const headEnd = this.#received.indexOf('\r\n\r\n')
    if (headEnd < 0) return
    const head = this.#received.slice(0, headEnd)
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? Number.NaN)
    // Without a length, the body ends with the connection.
    if (Number.isNaN(length) || this.#received.length < headEnd + 4 + length) return
    this.#finish(head)
  }

  #ended(): void {
    const headEnd = this.#received.indexOf('\r\n\r\n')
    const complete = headEnd >= 0 && !/^content-length:/im.test(this.#received.slice(0, headEnd))
    if (complete) this.#finish(this.#received.slice(0, headEnd))
    this.#over('FIN')
  }

  #finish(head: string): void {
    this.#received = ''
    if (/^connection: *close/im.test(head) || head.startsWith('HTTP/1.0')) {
      this.#usable = false
      this.#socket.end()
    }
    const status = Number(head.slice(9, 12))
    this.#answer(status >= 200 && status < 300 ? 'ok' : String(status))
  }

  #over(why: Outcome): void {
    this.#usable = false
    this.#socket.end()
    this.#answer(why)
  }

  #answer(outcome: Outcome): void {
    const answered = this.#answered
    this.#answered = undefined
    answered?.(outcome)
  }
}

/** Connects; undefined where nobody takes the connection. */
export function openConnection(port: number, tls: boolean): Promise<KeptConnection | undefined> {
  return new Promise((resolve) => {
    const socket = tls ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }) : connect(port, '127.0.0.1')
    const failed = (): void => resolve(undefined)
    socket.once('error', failed)
    // A handshake that is cut: nothing was asked of anybody.
    socket.once('close', failed)
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      socket.off('error', failed)
      socket.off('close', failed)
      socket.setNoDelay(true)
      resolve(new KeptConnection(socket))
    })
  })
}
