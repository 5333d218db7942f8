// Servers in a process of their own, for the tests of signals. The first argument says what differs, as JSON:
// servers (1), apart (one listenSignals for each server), ownListener, terminal (standard error seems to be one), idleGrace (ms), hooks (stage → what each does), and options of listenSignals.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { attach, shutdownTogether } from '../../dist/index.js'

const { servers = 1, apart = false, ownListener = false, terminal = false, idleGrace = 20, hooks = {}, ...signalOptions } = JSON.parse(process.argv[2] ?? '{}')

if (terminal) process.stderr.isTTY = true

const deeds = {
  done: () => {},
  throws: () => {
    throw new Error('not today')
  },
  rejects: () => Promise.reject(new Error('not today')),
  hangs: () => new Promise(() => {}),
}
const hooksOf = (stage) => (hooks[stage] ?? []).map((deed, index) => ({
  name: `${stage} ${index + 1}`,
  run: () => {
    console.log(`${stage} ${deed}`)
    return deeds[deed]()
  },
  ...(deed === 'hangs' && { timeout: 50 }),
}))

/** The first server is not numbered. */
const named = (word, index) => (index === 0 ? word : `${word} ${index}`)

const hops = Array.from({ length: servers }, (_, index) => {
  const server = createServer(async (request, response) => {
    if (request.url === '/slow') {
      console.log(named('slow', index))
      await once(process.stdin, 'data')
    }
    if (request.url === '/throw') setImmediate(deeds.throws)
    if (request.url === '/reject') setImmediate(() => void deeds.rejects())
    response.end('done')
  })
  const hop = attach(server, { drain: { idleGrace, deadline: '20s' } })
  hop.on('phase', ({ phase }) => console.log(named(phase, index)))
  server.listen(0, '127.0.0.1', () => console.log(`${index === 0 ? 'port' : `port${index}`} ${server.address().port}`))
  return hop
})
if (ownListener) process.on('SIGTERM', () => console.log('heard'))
if (apart) for (const hop of hops) hop.listenSignals(signalOptions)
else shutdownTogether(hops, { before: hooksOf('before'), tasks: hooksOf('task'), after: hooksOf('after') }).listenSignals(signalOptions)
