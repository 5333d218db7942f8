// A primary with N workers on one port, which it replaces one by one without losing a request.
//
//   PORT=3000 WORKERS=2 node cluster.mjs
//   kill -HUP <pid of the primary>   rolls: each worker is replaced by a new one, which reads the code anew
//   kill <pid of the primary>        drains all workers and ends; a second time ends them at once
//
// A roll loses nothing: Node's primary, which accepts the connections, always has a worker to give them to. When all of it
// ends, a connection that comes in the last moment may be accepted and given to nobody, since Node has no way to have the
// primary stop accepting first. Roll to deploy; and before the end, let the hop in front know (drain mode announce-first).
//
// Signals go to the primary only. With systemd say KillMode=mixed: a worker that gets SIGTERM from two sides takes the
// second one for what it means, and ends at once.
import cluster from 'node:cluster'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { availableParallelism } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { attach } from '@hopwise/node'

if (cluster.isPrimary) supervise(Number(process.env.WORKERS ?? availableParallelism()))
else serve(Number(process.env.PORT ?? 3000))

function serve(port) {
  const server = createServer((request, response) => {
    request.resume().once('end', () => response.end(`worker ${process.pid}\n`))
  })
  const hop = attach(server, { chain: ['nginx'] })
  hop.on('phase', ({ phase }) => console.log(`worker ${process.pid} is ${phase}`))
  hop.listenSignals({ signals: ['SIGTERM'], after: [leaveCluster] })
  // Ctrl-C in a terminal reaches the workers as well; what it means is the primary's business.
  process.on('SIGINT', () => {})
  server.listen(port)
}

/**
 * The primary may have handed over a connection just before it heard that this worker listens no more. Such a one is sent
 * back, and goes to another worker: the primary's answer to this says that there is none left.
 */
async function leaveCluster() {
  const left = once(process, 'disconnect')
  cluster.worker.disconnect()
  await left
}

function supervise(count) {
  const shortestPause = 100
  const longestPause = 5_000
  const longEnough = 10_000
  /** Workers that listen and are to stay: one that ends all the same is replaced. */
  const staying = new Set()
  /** Worker → its end, of those that were told to drain. */
  const stops = new Map()
  let pause = shortestPause
  let stopping = false
  let rolling = false

  /** Forks a worker and waits until it listens; gives `undefined` where it ends before. */
  const start = async () => {
    const worker = cluster.fork()
    const startedAt = performance.now()
    const exited = once(worker, 'exit')
    const listening = await Promise.race([once(worker, 'listening'), exited.then(() => undefined)])
    if (listening === undefined) return undefined
    staying.add(worker)
    exited.then(() => {
      if (!staying.delete(worker)) return
      if (performance.now() - startedAt > longEnough) pause = shortestPause
      fillPlace({ soon: false })
    })
    console.log(`worker ${worker.process.pid} listens on port ${listening[0].port}`)
    return worker
  }

  /** Starts a worker until one listens. Not at once where one has ended by itself, and later each time. */
  const fillPlace = async ({ soon }) => {
    if (!soon) {
      await delay(pause)
      pause = Math.min(pause * 2, longestPause)
    }
    if (!stopping && (await start()) === undefined) fillPlace({ soon: false })
  }

  /** Tells a worker to drain, and waits for its end. */
  const stop = (worker) => {
    staying.delete(worker)
    if (!stops.has(worker) && !worker.isDead()) {
      stops.set(worker, once(worker, 'exit'))
      worker.process.kill('SIGTERM')
    }
    return stops.get(worker)
  }

  /** A new one for each that is there, one by one. Where a new one does not listen, the old ones stay. */
  const roll = async () => {
    if (rolling || stopping) return
    rolling = true
    let failed = false
    // A copy: the new ones are not to be replaced.
    const all = [...staying]
    for (const old of all) {
      failed = (await start()) === undefined
      if (failed || stopping) break
      await stop(old)
    }
    rolling = false
    console.log(failed ? 'not rolled: a new worker did not listen' : 'rolled')
  }

  const end = async (signal) => {
    const workers = Object.values(cluster.workers)
    if (stopping) return workers.forEach((worker) => worker.process.kill('SIGTERM'))
    stopping = true
    await Promise.all(workers.map(stop))
    process.exit(signal === 'SIGINT' ? 130 : 143)
  }

  process.on('SIGHUP', roll)
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  for (let index = 0; index < count; index++) fillPlace({ soon: true })
  console.log(`primary ${process.pid}`)
}
