import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** How an exchange is cut. */
export interface Cut {
  /**
   * `'request'`: once the whole request went through, with its answer on the way or not. `'answer'`: when its answer comes, of which
   * nothing gets through. `'within-answer'`: after a share of the answer's first piece.
   */
  readonly where: 'request' | 'answer' | 'within-answer'
  readonly how: 'reset' | 'close'
  /** From 0 to below 1; at least one byte goes through and at least one does not. */
  readonly share: number
}

/** A TCP relay that cuts exchanges whose request went through: the server has it, and the client cannot know. */
export interface CuttingRelay {
  readonly port: number
  /** How each exchange is cut, asked when its request is whole; `undefined` leaves it alone. The text is the request's header. */
  chooseCut: (header: string) => Cut | undefined
  stop(): Promise<void>
}

/** Starts it in front of a port. Requests are HTTP/1.1, one after another, with a Content-Length where they have a body. */
export async function startCuttingRelay(target: number): Promise<CuttingRelay> {
  const open = new Set<Socket>()
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port: target, host: '127.0.0.1', noDelay: true })
    for (const [one, other] of [[client, upstream], [upstream, client]] as const) {
      open.add(one)
      one.on('error', () => {})
      one.once('close', () => open.delete(one))
      one.once('end', () => other.end())
    }
    upstream.once('close', () => client.destroySoon())

    let asked = Buffer.alloc(0)
    let answerCut: Cut | undefined
    let isCut = false
    const cut = ({ how }: Cut, through: Buffer): void => {
      isCut = true
      if (how === 'close') return void client.end(through)
      client.write(through, () => client.resetAndDestroy())
    }
    client.on('data', (chunk) => {
      upstream.write(chunk)
      asked = Buffer.concat([asked, chunk])
      const header = headerOfWhole(asked)
      if (header === undefined) return
      asked = Buffer.alloc(0)
      const chosen = relay.chooseCut(header)
      if (chosen?.where === 'request') cut(chosen, Buffer.alloc(0))
      else answerCut = chosen
    })
    upstream.on('data', (chunk) => {
      // The server's answer shows that it has worked the request; until then its side of the connection stays.
      if (isCut) return void upstream.destroy()
      if (answerCut === undefined) return void client.write(chunk)
      cut(answerCut, chunk.subarray(0, answerCut.where === 'answer' ? 0 : 1 + Math.floor(answerCut.share * (chunk.length - 1))))
      upstream.destroy()
    })
    client.once('close', () => {
      if (!isCut) upstream.destroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const relay: CuttingRelay = {
    port: (server.address() as AddressInfo).port,
    chooseCut: () => undefined,
    stop: async () => {
      server.close()
      for (const socket of open) socket.destroy()
      await once(server, 'close')
    },
  }
  return relay
}

/** The header of a request that is there as a whole. */
function headerOfWhole(bytes: Buffer): string | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const header = bytes.toString('latin1', 0, end)
  const length = Number(/^content-length: *(\d+)/im.exec(header)?.[1] ?? 0)
  return bytes.length >= end + 4 + length ? header : undefined
}
