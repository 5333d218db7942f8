import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { bindings, undiciBinding, undiciVersions, type Binding, type TestRequest } from './testing/bindings.js'
import { selfSigned } from './testing/http2-server.js'
import { manualClock } from './testing/manual-clock.js'
import { startUploadServer } from './testing/upload-server.js'
import { flowOf, type WatchedSocket } from './watch/socket.js'

/** More than what the kernel buffers of a connection, several times over. */
const large = new Uint8Array(33_554_432)
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** The socket of the next request. */
function nextSocket(): Promise<WatchedSocket> {
  return new Promise((resolve) => {
    const heard = (message: unknown): void => {
      unsubscribe('undici:client:sendHeaders', heard)
      resolve((message as { socket: WatchedSocket }).socket)
    }
    subscribe('undici:client:sendHeaders', heard)
  })
}

async function open(binding: Binding, tls?: { key: string; cert: string }) {
  const server = await startUploadServer(tls)
  const clock = manualClock()
  const client = await binding.open({ clock, random: () => 0, firstByteTimeout: '7s' })
  closing.push(() => client.close(), () => server.close())
  const send = (method: string, body: unknown) => {
    const outcome = client.send(`${server.origin}/x`, { method, body } as TestRequest)
    let settled = false
    const whenSettled = (): void => void (settled = true)
    outcome.then(whenSettled, whenSettled)
    return { outcome, settled: () => settled }
  }
  /** The time is over, and what follows from it. */
  const timesOut = async (): Promise<void> => {
    clock.advance(7_000)
    for (let n = 0; n < 5; n += 1) await turn()
  }
  return { server, clock, send, timesOut }
}

const everywhere: [string, Binding, boolean][] = [
  ...bindings.map((binding): [string, Binding, boolean] => [binding.name, binding, false]),
  ...undiciVersions.map((version): [string, Binding, boolean] => [`undici ${version} over TLS`, undiciBinding(version, { connect: { rejectUnauthorized: false } }), true]),
]

describe.each(everywhere)('%s: the time for the first byte', (_name, binding, isTls) => {
  const openHere = async () => open(binding, isTls ? await selfSigned() : undefined)

  test('an upload that goes on is waited for, and sent once', async () => {
    const { server, send, timesOut } = await openHere()
    const sending = nextSocket()
    const { outcome, settled } = send('PUT', large)
    const [socket, upload] = [await sending, await server.begun(1)]
    for (let n = 0; n < 4; n += 1) {
      const flow = flowOf(socket)
      while (flowOf(socket) === flow && !upload.ended()) await upload.readOn()
      expect(upload.ended()).toBe(false)
      await timesOut()
      expect(settled()).toBe(false)
    }
    await upload.readAll()
    upload.answer()
    expect(await outcome).toMatchObject({ status: 200 })
    expect([server.uploads.length, upload.received]).toEqual([1, large.length])
  })

  test.each(['PUT', 'POST'])('one that does not is given up, and judged: a %s', async (method) => {
    const { server, clock, send, timesOut } = await openHere()
    const sending = nextSocket()
    const { outcome } = send(method, large)
    const [socket, upload] = [await sending, await server.begun(1)]
    for (let n = 0; n < 20; n += 1) await upload.readOn()
    // The kernels go on for a while by themselves.
    while (!socket.destroyed) await timesOut()
    if (method === 'POST') {
      await expect(outcome).rejects.toMatchObject({ name: 'TimeoutError', verdict: 'fresh-loss', sent: true, attempts: 1 })
      return expect(server.uploads).toHaveLength(1)
    }
    // The wait before it is of 0 ms.
    for (; server.uploads.length < 2; await turn()) clock.advance(0)
    const second = await server.begun(2)
    await second.readAll()
    second.answer()
    expect(await outcome).toMatchObject({ status: 200 })
  })

  test('a server that has read all and does not answer has as long again, and no longer', async () => {
    const { server, send, timesOut } = await openHere()
    const { outcome, settled } = send('POST', large)
    const upload = await server.begun(1)
    await upload.readAll()
    await timesOut()
    expect(settled()).toBe(false)
    await timesOut()
    await expect(outcome).rejects.toMatchObject({ name: 'TimeoutError', verdict: 'fresh-loss' })
  })

  test('what is short has no more than that time', async () => {
    const { server, send, timesOut } = await openHere()
    const { outcome } = send('POST', new Uint8Array(40_000))
    await (await server.begun(1)).readAll()
    await timesOut()
    await expect(outcome).rejects.toMatchObject({ name: 'TimeoutError', verdict: 'fresh-loss' })
  })

  test('a stream whose source is slow is waited for', async () => {
    const { server, send, timesOut } = await openHere()
    let go = (): void => {}
    async function* source(): AsyncGenerator<Uint8Array> {
      for (let n = 0; n < 4; n += 1) {
        yield new Uint8Array(100)
        await new Promise<void>((resolve) => (go = resolve))
      }
    }
    const { outcome, settled } = send('POST', source())
    const upload = await server.begun(1)
    for (let n = 1; n <= 4; n += 1) {
      while (upload.received < n * 100) await upload.readOn()
      await timesOut()
      expect(settled()).toBe(false)
      go()
    }
    await upload.readAll()
    upload.answer()
    expect(await outcome).toMatchObject({ status: 200 })
    expect(server.uploads).toHaveLength(1)
  })
})
