// A server in a process of its own, for the tests of signals: answers /slow after a line comes on standard input.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { attach } from '../../dist/index.js'

const failing = process.argv.includes('--failing')
const server = createServer(async (request, response) => {
  if (request.url === '/slow') {
    console.log('slow')
    await once(process.stdin, 'data')
  }
  response.end('done')
})
const hop = attach(server, { drain: { idleGrace: 20, deadline: '20s' } })
hop.on('phase', ({ phase }) => console.log(phase))
hop.listenSignals({
  afterDrain: ({ closed }) => {
    console.log(`after ${closed.announced}`)
    if (failing) throw new Error('the database would not close')
  },
})
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`))
