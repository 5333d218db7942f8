// A server in each of N threads. Signals come to the main thread only, which tells the others to drain, and ends the
// process when all of them are done. A thread that dies by an error takes the others with it, drained: whoever watches
// over the process starts it anew.
//
//   PORT=3000 THREADS=2 node worker-threads.mjs
//
// On Linux, Node 22.12 and later can listen on one port in all threads (reusePort); else each has a port of its own,
// PORT, PORT + 1, ..., and the proxy in front knows them all.
import { createServer } from 'node:http'
import { availableParallelism } from 'node:os'
import { isMainThread, parentPort, threadId, Worker, workerData } from 'node:worker_threads'
import { attach, shutdownTogether } from '@hopwise/node'

if (isMainThread) supervise(Number(process.env.THREADS ?? availableParallelism()), Number(process.env.PORT ?? 3000))
else serve(workerData)

function supervise(count, port) {
  const reusePort = canReusePort()
  const threads = Array.from({ length: count }, (_, index) => {
    const thread = new Worker(new URL(import.meta.url), { workerData: { reusePort, port: reusePort || port === 0 ? port : port + index } })
    return { thread, exited: new Promise((resolve) => thread.once('exit', resolve)) }
  })
  const drained = ({ thread, exited }, index) => ({
    name: `thread ${index + 1}`,
    run: async ({ signal }) => {
      signal.addEventListener('abort', () => thread.terminate())
      thread.postMessage('drain', [])
      await exited
    },
  })
  shutdownTogether([], { tasks: threads.map(drained), deadline: '25s' }).listenSignals({ uncaughtException: true })
}

function serve({ port, reusePort }) {
  const server = createServer((request, response) => {
    request.resume().once('end', () => response.end(`thread ${threadId}\n`))
  })
  // Sooner than the main thread, which would end the thread in the middle of it.
  const hop = attach(server, { chain: ['nginx'], drain: { deadline: '20s' } })
  parentPort.once('message', async () => {
    const { inFlight, servedWhileDraining, closed } = await hop.drain()
    console.log(`thread ${threadId} has drained: ${JSON.stringify({ inFlight, servedWhileDraining, closed })}`)
    parentPort.close()
  })
  server.listen({ port, reusePort }, () => console.log(`thread ${threadId} listens on port ${server.address().port}`))
}

function canReusePort() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  return process.platform === 'linux' && (major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12))
}
