import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { PlainResponse } from '@hopwise/core'
import { endAndLinger } from './closing.js'

/** Answers on a socket whose request never became one, and ends the connection. */
export function replyAndEnd(socket: Socket, { status, fields, body }: PlainResponse): void {
  const lines = [...fields, ['connection', 'close'] as const, ['content-length', String(body.length)] as const].map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n`)
  socket.write(body)
  endAndLinger(socket)
}
