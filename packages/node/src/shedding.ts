import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Server as NetServer } from 'node:net'
import { problem } from '@hopwise/core'
import { writeReply } from './reply.js'

/**
 * From now on each HTTP/1 request asks `shed` first, and is answered 503 instead of reaching the application where that
 * says so. (No listener can keep an event from the other listeners.) Gives a function that undoes it.
 */
export function shedRequests(server: NetServer, shed: () => boolean, begin: (request: IncomingMessage, response: ServerResponse) => void): () => void {
  const emit = server.emit.bind(server)
  server.emit = (event: string, ...args: unknown[]): boolean => {
    const [request, response] = args as [IncomingMessage, ServerResponse]
    const isRequest = event === 'request' || event === 'checkContinue' || event === 'checkExpectation'
    if (!isRequest || request.httpVersionMajor !== 1 || !shed()) return emit(event, ...args)
    begin(request, response)
    writeReply(response, problem('server-stopping', 'Nothing was done. Try again in a moment.', [['retry-after', '1']]))
    return true
  }
  return () => void Reflect.deleteProperty(server, 'emit')
}
