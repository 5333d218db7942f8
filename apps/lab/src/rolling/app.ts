import type { RequestListener } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { seededRandom } from '../scenario.js'

/** What health checks ask for. */
export const healthPath = '/readyz'

/** The app that every server serves: work of 5 to 40 ms, and whether this instance wants to be in rotation. */
export interface App {
  work(): Promise<string>
  ready(): boolean
}

/** Makes it. */
export function createApp(seed: number, ready: () => boolean): App {
  const random = seededRandom(seed)
  return {
    work: async () => {
      await wait(5 + random() * 35)
      return '{"ok":true}'
    },
    ready,
  }
}

/** The app for servers of `node:http` and whatever takes such a listener. */
export function listenerOf(app: App): RequestListener {
  return (request, response) => {
    if (request.url === healthPath) return void response.writeHead(app.ready() ? 200 : 503).end()
    request.resume()
    request.once('end', () => {
      void app.work().then((body) => response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body))
    })
  }
}
