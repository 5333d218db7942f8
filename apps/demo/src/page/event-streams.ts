import type { ServerResponse } from 'node:http'

/** A server-sent event: its name, and its data, which is sent as JSON. */
export interface PageEvent {
  readonly name: 'history' | 'snapshot'
  readonly data: unknown
}

/** The open event streams of the page. */
export interface EventStreams {
  readonly full: boolean
  /** Makes an event stream of a response and sends the first events. The caller has looked at {@link full}. */
  open(response: ServerResponse, events: readonly PageEvent[]): void
  /** Sends an event to all; a client that has not read what was sent before is dropped. */
  send(event: PageEvent): void
  /** Ends every stream; the clients see a clean end. */
  end(): void
}

const maxBufferedBytes = 1024 * 1024

/**
 * Keeps at most `limit` event streams, each with at most 1 MiB and one event in this process.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function createEventStreams(limit: number): EventStreams {
  const open = new Set<ServerResponse>()
  return {
    get full() {
      return open.size >= limit
    },
    open(response, events) {
      open.add(response)
      response.once('close', () => open.delete(response))
      // `connection: close`, so that the end of the stream is the end of the connection and close() waits for nobody.
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', connection: 'close' })
      response.write(`retry: 2000\n\n${events.map(toText).join('')}`)
    },
    send(event) {
      const text = toText(event)
      for (const response of open) {
        if (response.writableLength > maxBufferedBytes) response.destroy()
        else response.write(text)
      }
    },
    end() {
      for (const response of open) response.end()
    },
  }
}

function toText(event: PageEvent): string {
  return `event: ${event.name}\ndata: ${JSON.stringify(event.data)}\n\n`
}
