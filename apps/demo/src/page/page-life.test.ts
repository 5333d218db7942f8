import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { Snapshot } from '../snapshot.js'
import { servePage } from './serve-page.js'
import { createScriptedDemo } from './testing/scripted-demo.js'

const ends: (() => unknown)[] = []

afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()))
})

const bigBytes = 256 * 1024
const snapshot = createScriptedDemo({ ok: true }).snapshot

async function openStream(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  ends.push(() => socket.destroy())
  socket.write('GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n')
  await once(socket, 'readable')
  return socket
}

describe('the port', () => {
  it('in use is said in one sentence', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    ends.push(() => other.close())
    await once(other, 'listening')
    // It listens on TCP, so it has an AddressInfo.
    const { port } = other.address() as AddressInfo
    await expect(servePage({ snapshot, port })).rejects.toThrow(new Error(`port ${port} is in use; choose another with --port`))
  })

  it('is free again after close', async () => {
    const first = await servePage({ snapshot, port: 0 })
    await first.close()
    const second = await servePage({ snapshot, port: Number(new URL(first.url).port) })
    expect(second.url).toBe(first.url)
    await second.close()
  })
})

describe('close', () => {
  it('ends open event streams cleanly', async () => {
    const page = await servePage({ snapshot, port: 0, intervalMs: 2 })
    const socket = await openStream(page.url)
    const parts: Buffer[] = []
    socket.on('data', (part: Buffer) => parts.push(part))
    const ended = once(socket, 'end')
    await Promise.all([page.close(), page.close(), ended])
    // The last chunk of a chunked body: the client can tell an end from a cut.
    expect(Buffer.concat(parts).toString()).toMatch(/\r\n0\r\n\r\n$/)
  })

  it('does not wait for a client that does not read', async () => {
    // More than the kernel's buffers hold, so that the end of the stream cannot be sent.
    const page = await servePage({ snapshot: () => big(32 * 1024 * 1024), port: 0, intervalMs: 60_000 })
    await openStream(page.url)
    await page.close()
  })
})

describe('a client that does not read', () => {
  it('is dropped before memory grows', async () => {
    let taken = 0
    let enough = (): void => {}
    const sent = new Promise<void>((resolve) => {
      enough = resolve
    })
    const count = (): Snapshot => {
      taken += 1
      if (taken === 300) enough()
      return big(bigBytes)
    }
    const page = await servePage({ snapshot: count, port: 0, intervalMs: 1 })
    ends.push(() => page.close())
    const socket = await openStream(page.url)
    await sent
    let received = 0
    socket.on('data', (part: Buffer) => (received += part.byteLength))
    socket.resume()
    await once(socket, 'close')
    expect(received).toBeLessThan((300 * bigBytes) / 2)
  })
})

function big(bytes: number): Snapshot {
  return { ...snapshot(), proxy: 'x'.repeat(bytes) }
}
