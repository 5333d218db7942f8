import type { AdapterSetup, BootedAdapter } from './contract.js'
import { lendSetup } from './lend-setup.js'
import { rawConnect, requestText } from './raw-client.js'
import type { RawResponse } from './response-reader.js'

/** How long a server may take to be ready for a setup, in milliseconds. */
const readyWithin = 20_000

/**
 * A `boot` for one server that runs already: tells it the setup of each case by `POST /control/setup`, whose body is the
 * text for `contractSetup()` of `@hopwise/testkit/program`. The server makes an app of it, and answers 204 once its next
 * request goes to that app. It runs on this machine, where it can reach the store that is lent to it, and serves one case
 * at a time.
 *
 * `boot` rejects where the server cannot be reached, does not answer within 20 s or not with 204, and while another case
 * runs.
 * @param url `http://127.0.0.1:PORT`
 * @throws Error where it is another one
 * @example adapterContract({ name, capabilities, boot: bootUrl('http://127.0.0.1:8787') })
 */
export function bootUrl(url: string): (setup: AdapterSetup) => Promise<BootedAdapter> {
  const port = portOf(url)
  let busy = false
  return async (setup) => {
    if (busy) throw new Error(`a case before this one still runs on ${url}, which serves one at a time`)
    busy = true
    let lent: Awaited<ReturnType<typeof lendSetup>> | undefined
    const close = async (): Promise<void> => {
      await lent?.close()
      busy = false
    }
    try {
      lent = await lendSetup(setup)
      const { status, body } = await tell(port, lent.text)
      if (status !== 204) throw new Error(`answers a setup with ${status} instead of 204: ${body.subarray(0, 1_000).toString()}`)
      return { port, close }
    } catch (error) {
      await close()
      throw new Error(`${url} ${(error as Error).message}`, { cause: error })
    }
  }
}

function portOf(url: string): number {
  const { protocol, hostname, port, pathname, search } = URL.canParse(url) ? new URL(url) : new URL('none:')
  if (protocol !== 'http:' || hostname !== '127.0.0.1' || port === '' || pathname + search !== '/') throw new Error(`bootUrl: ${JSON.stringify(url)} is not http://127.0.0.1:PORT`)
  return Number(port)
}

async function tell(port: number, text: string): Promise<RawResponse> {
  const connection = await rawConnect(port)
  let late = false
  const timer = setTimeout(() => {
    late = true
    connection.destroy()
  }, readyWithin)
  try {
    connection.write(requestText('POST', '/control/setup', { 'content-type': 'application/json' }, text))
    return await connection.response()
  } catch (error) {
    throw late ? new Error(`has not answered a setup within ${readyWithin} ms`, { cause: error }) : error
  } finally {
    clearTimeout(timer)
    connection.destroy()
  }
}
