import { connect, type Socket } from 'node:net'
import { ResponseReader, type RawResponse } from './response-reader.js'

/** A TCP connection on which requests are written byte by byte: what no HTTP client would send. */
export interface RawConnection {
  readonly socket: Socket
  write(text: string | Uint8Array): void
  /** Writes; resolves once the bytes are the kernel's. */
  flushed(text: Uint8Array): Promise<void>
  /** The next whole response; rejects where the connection ends before it. */
  response(options?: { readonly toHead?: boolean }): Promise<RawResponse>
  /** Resolves once as many bytes have arrived since the connection was opened. */
  bytes(count: number): Promise<string>
  /** Resolves once the connection is closed, with what the other side did. */
  closed(): Promise<'end' | 'reset'>
  destroy(): void
  /** Cuts the connection with a reset (RST), as a peer does that was killed. */
  reset(): void
}

/** Opens a {@link RawConnection}. */
export async function rawConnect(port: number, host = '127.0.0.1'): Promise<RawConnection> {
  const socket = connect(port, host)
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  const reader = new ResponseReader()
  const wake = new Set<() => void>()
  let end: 'end' | 'reset' | undefined
  const wakeAll = (): void => {
    for (const check of wake) check()
  }
  socket.on('data', (chunk) => {
    reader.add(chunk)
    wakeAll()
  })
  socket.on('error', () => {
    end ??= 'reset'
  })
  socket.on('end', () => {
    end ??= 'end'
    wakeAll()
  })
  socket.on('close', () => {
    end ??= 'end'
    wakeAll()
  })

  /** Waits until `look` finds something; gives up when the connection is over and nothing was found. */
  const until = <T>(what: string, look: () => T | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        let found: T | undefined
        try {
          found = look()
        } catch (error) {
          wake.delete(check)
          reject(error)
          return
        }
        if (found !== undefined) resolve(found)
        else if (end !== undefined) reject(new Error(`the connection ended (${end}) before ${what}; received: ${JSON.stringify(reader.peek().slice(0, 300))}`))
        else return
        wake.delete(check)
      }
      wake.add(check)
      check()
    })

  return {
    socket,
    write: (text) => void socket.write(text),
    flushed: (text) => new Promise((resolve) => void socket.write(text, () => resolve())),
    response: (options) => until('a whole response', () => reader.take(options?.toHead ?? false, end === 'end')),
    bytes: (count) => until(`${count} bytes`, () => (reader.received >= count ? reader.peek() : undefined)),
    closed: () =>
      new Promise((resolve) => {
        const check = (): void => {
          if (end === undefined) return
          wake.delete(check)
          resolve(end)
        }
        wake.add(check)
        check()
      }),
    destroy: () => void socket.destroy(),
    reset: () => void socket.resetAndDestroy(),
  }
}

/** One request over one connection of its own. */
export async function rawRequest(port: number, text: string | Uint8Array): Promise<RawResponse> {
  const connection = await rawConnect(port)
  try {
    connection.write(text)
    return await connection.response()
  } finally {
    connection.destroy()
  }
}

/** Writes a request: header lines as given, Content-Length for a body unless one is given. */
export function requestText(method: string, target: string, fields: Readonly<Record<string, string | readonly string[]>>, body: string | Uint8Array = ''): Uint8Array {
  const bytes = Buffer.from(body)
  const lines = Object.entries(fields).flatMap(([name, value]) => (typeof value === 'string' ? [value] : value).map((one) => `${name}: ${one}`))
  const framed = Object.keys(fields).some((name) => /^(content-length|transfer-encoding)$/i.test(name))
  if (!framed && (bytes.length > 0 || method !== 'GET')) lines.push(`content-length: ${bytes.length}`)
  return Buffer.concat([Buffer.from(`${method} ${target} HTTP/1.1\r\nhost: test\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`, 'latin1'), bytes])
}
