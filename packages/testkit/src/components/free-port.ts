import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the ports that systems give to outgoing connections (Linux from 32768, macOS from 49152). */
const first = 20_000
const last = 32_000

/**
 * A port of 127.0.0.1 that nobody listens on at this moment, for servers that cannot listen on port 0 and say which
 * one they got, or that have to come back on the same one. It is below the ephemeral range, so that no outgoing
 * connection takes it in between; another server may, so start so that this is seen and tried again.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = first + Math.floor(Math.random() * (last - first))
    if (await canListen(port)) return port
  }
}

async function canListen(port: number): Promise<boolean> {
  const server = createServer()
  const listening = once(server, 'listening').then(
    () => true,
    () => false,
  )
  server.listen(port, '127.0.0.1')
  if (!(await listening)) return false
  server.close()
  await once(server, 'close')
  return true
}
