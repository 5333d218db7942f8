import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createServer } from 'node:http'
import { rawConnect } from '@hopwise/testkit/adapter'
import { expect, onTestFinished, test } from 'vitest'
import { attach } from './index.js'
import { get } from './testing/attached-server.js'

/** Starts the server of `testing/signal-server.mjs`; `line` resolves with the next line that begins so. */
async function start(...args: string[]) {
  const child: ChildProcess = spawn(process.execPath, [fileURLToPath(new URL('testing/signal-server.mjs', import.meta.url)), ...args])
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines: string[] = []
  let errors = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  const reader = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  reader.on('line', (line) => lines.push(line))
  const line = async (beginning: string): Promise<string> => {
    for (;;) {
      const found = lines.find((one) => one.startsWith(beginning))
      if (found !== undefined) return found
      await once(reader, 'line')
    }
  }
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  const port = Number((await line('port')).split(' ')[1])
  return { child, line, lines, exited, port, errors: () => errors }
}

test.each(['SIGTERM', 'SIGINT'] as const)('%s: what is in flight is served, then the process ends by that signal', async (signal) => {
  const server = await start()
  const client = await rawConnect(server.port)
  client.write(get('/slow'))
  await server.line('slow')
  server.child.kill(signal)
  await server.line('draining')
  server.child.stdin?.write('go\n')
  expect(await client.response()).toMatchObject({ status: 200 })
  expect(await server.exited).toEqual([null, signal])
  expect(server.lines.slice(-2)).toEqual(['closed', 'after 1'])
  client.destroy()
})

test('a second signal ends the process at once', async () => {
  const server = await start()
  const client = await rawConnect(server.port)
  client.write(get('/slow'))
  await server.line('slow')
  server.child.kill('SIGTERM')
  await server.line('draining')
  server.child.kill('SIGTERM')
  expect(await server.exited).toEqual([null, 'SIGTERM'])
  expect(server.lines).not.toContain('closed')
  client.destroy()
})

test('what afterDrain throws is told, and the process ends with 1', async () => {
  const server = await start('--failing')
  server.child.kill('SIGTERM')
  expect(await server.exited).toEqual([1, null])
  expect(server.errors()).toBe('hopwise: afterDrain failed: the database would not close\n')
})

test('wrong options are errors, and listening can be ended', () => {
  const hop = attach(createServer())
  expect(() => hop.listenSignals({ signals: ['SIGNOPE'] as never })).toThrow(/option "signals"/)
  expect(() => hop.listenSignals({ signal: [] } as never)).toThrow(/unknown option "signal"/)
  const before = process.listenerCount('SIGTERM')
  const stop = hop.listenSignals()
  expect(process.listenerCount('SIGTERM')).toBe(before + 1)
  stop()
  expect(process.listenerCount('SIGTERM')).toBe(before)
})
