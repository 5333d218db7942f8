import { freePort } from '@hopwise/testkit/components'
import { rawConnect } from '@hopwise/testkit/adapter'
import { describe, expect, onTestFinished, test } from 'vitest'
import { keepAliveLoad } from './testing/keep-alive-load.js'
import { startProcess, type StartedProcess } from './testing/started-process.js'

/** What each of the lines that match says in the place of the group. */
const said = ({ lines }: StartedProcess, pattern: RegExp): string[] => lines.flatMap((line) => pattern.exec(line)?.[1] ?? [])

const clients = 8

describe('cluster.mjs', () => {
  const listening = /^worker (\d+) listens/

  async function start() {
    const primary = startProcess('../examples/cluster.mjs', [], { PORT: '0', WORKERS: '2' })
    await primary.until(() => said(primary, listening).length === 2)
    return { primary, port: Number(said(primary, /port (\d+)/)[0]), workers: said(primary, listening) }
  }

  test('two rolls under load: nothing fails, nobody is refused, and only new workers are left', async () => {
    const { primary, port, workers } = await start()
    const load = keepAliveLoad([port], clients)
    for (const rolls of [1, 2]) {
      await load.more(200)
      primary.child.kill('SIGHUP')
      await primary.until(() => said(primary, /^(rolled)/).length === rolls)
    }
    await load.more(200)
    await load.stop()
    expect(load.failures).toEqual([])
    expect(load.refused).toBe(0)
    expect([...load.answers.keys()].toSorted()).toEqual(said(primary, listening).map((pid) => `worker ${pid}`).toSorted())
    expect(said(primary, listening).length).toBe(6)
    const left = said(primary, listening).slice(-2)
    expect(left.filter((pid) => workers.includes(pid))).toEqual([])

    primary.child.kill('SIGTERM')
    expect(await primary.exited).toEqual([143, null])
    expect(said(primary, /^worker (\d+) is closed/).toSorted()).toEqual(said(primary, listening).toSorted())
    expect(primary.errors()).toBe('')
  })

  test('SIGTERM under load: what is sent on the connections that are there is answered, until each is told to close', async () => {
    const { primary, port } = await start()
    const load = keepAliveLoad([port], clients, { reconnect: false })
    await load.more(200)
    primary.child.kill('SIGTERM')
    expect(await primary.exited).toEqual([143, null])
    await load.stop()
    expect(load.failures).toEqual([])
  })

  test('a worker that dies is replaced', async () => {
    const { primary, port, workers } = await start()
    process.kill(Number(workers[0]), 'SIGKILL')
    await primary.until(() => said(primary, listening).length === 3)
    expect(said(primary, /port (\d+)/)).toEqual([port, port, port].map(String))
    primary.child.kill('SIGTERM')
    expect(await primary.exited).toEqual([143, null])
  })

  test('a second SIGTERM ends workers that are held', async () => {
    const { primary, port } = await start()
    const client = await rawConnect(port)
    onTestFinished(() => client.destroy())
    client.write('POST / HTTP/1.1\r\nhost: test\r\ncontent-length: 10\r\nexpect: 100-continue\r\n\r\n')
    await client.bytes(1)
    client.write('half')
    primary.child.kill('SIGTERM')
    await primary.until(() => said(primary, /^worker (\d+) is draining/).length === 2)
    primary.child.kill('SIGTERM')
    expect(await primary.exited).toEqual([143, null])
    expect(said(primary, /^worker (\d+) is closed/).length).toBeLessThan(2)
  })
})

describe('worker-threads.mjs', () => {
  test('SIGTERM under load: what was sent is answered, and the process ends when all threads have drained', async () => {
    const main = startProcess('../examples/worker-threads.mjs', [], { PORT: String(await freePort()), THREADS: '2' })
    await main.until(() => said(main, /port (\d+)/).length === 2)
    const load = keepAliveLoad(said(main, /port (\d+)/).map(Number), clients)
    await load.more(200)
    main.child.kill('SIGTERM')
    expect(await main.exited).toEqual([null, 'SIGTERM'])
    await load.stop()
    expect(load.failures).toEqual([])
    expect([...load.answers.keys()].toSorted()).toEqual(['thread 1', 'thread 2'])
    expect(said(main, /^thread (\d+) has drained/).toSorted()).toEqual(['1', '2'])
    expect(main.errors()).toBe('')
  })
})
