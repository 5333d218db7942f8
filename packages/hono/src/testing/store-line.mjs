/** An idempotency store over a socket, one JSON text a line: a server in another runtime uses the store of the test. */
import { createConnection, createServer } from 'node:net'

const marked = (_name, value) => (value instanceof Uint8Array ? { base64: Buffer.from(value).toString('base64') } : value)
const unmarked = (_name, value) => (typeof value?.base64 === 'string' ? new Uint8Array(Buffer.from(value.base64, 'base64')) : value)
// The `toJSON` of a Buffer would come before `marked`.
const plain = (value) => (Buffer.isBuffer(value) ? new Uint8Array(value) : value)
const encode = (message) => `${JSON.stringify(message, marked)}\n`

function onLines(socket, take) {
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('data', (text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(JSON.parse(line, unmarked))
  })
  socket.on('error', () => {})
}

/** Serves a store on a free port; gives the port and how to close it. */
export async function serveStore(store) {
  const sockets = new Set()
  const server = createServer((socket) => {
    sockets.add(socket)
    onLines(socket, async ({ id, operation, args }) => {
      try {
        socket.write(encode({ id, value: await store[operation](...args) }))
      } catch (error) {
        socket.write(encode({ id, failed: String(error) }))
      }
    })
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  return { port: server.address().port, close }
}

/** The store that is served on a port. */
export function remoteStore(port) {
  const socket = createConnection(port, '127.0.0.1')
  const waiting = new Map()
  let last = 0
  onLines(socket, ({ id, value, failed }) => {
    const { resolve, reject } = waiting.get(id)
    waiting.delete(id)
    if (failed === undefined) resolve(value)
    else reject(new Error(failed))
  })
  const ask = (operation) => (...args) =>
    new Promise((resolve, reject) => {
      waiting.set(++last, { resolve, reject })
      socket.write(encode({ id: last, operation, args: args.map((arg) => (arg?.body === undefined ? arg : { ...arg, body: plain(arg.body) })) }))
    })
  return Object.fromEntries(['claim', 'complete', 'renew', 'release', 'savePhase', 'sweep'].map((operation) => [operation, ask(operation)]))
}
