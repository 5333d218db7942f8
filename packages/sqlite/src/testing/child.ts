import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

/** A program that runs as a process of its own, on the built packages. */
export interface Child {
  /** The next line that it prints; rejects with what it wrote to stderr where it ends before. */
  line(): Promise<string>
  /** Writes a line to its stdin. */
  say(text: string): void
  /** Kills it with SIGKILL, and waits until it is gone. */
  kill(): Promise<void>
}

/** Starts `testing/<name>` on `node`; it is killed after the test. */
export function startChild(name: string, args: readonly string[], node = process.execPath): Child {
  const child = spawn(node, [fileURLToPath(new URL(name, import.meta.url)), ...args], { stdio: 'pipe' })
  const gone = once(child, 'close')
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await gone
  }
  onTestFinished(kill)
  return {
    async line() {
      const next = await lines.next()
      if (next.done) {
        await gone
        throw new Error(`${name} ended (exit ${child.exitCode}, signal ${child.signalCode}) before it printed a line; are the packages built?\n${errors}`)
      }
      return next.value
    },
    say: (text) => void child.stdin.write(`${text}\n`),
    kill,
  }
}
