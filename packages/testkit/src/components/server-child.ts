import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'

/**
 * Whether all of it comes true before the child ends: each port accepts connections, and `own` says so of what only this
 * child can have made. (A port alone may be another server's, that took it a moment earlier.)
 */
export async function comesUp(ports: readonly number[], own: () => Promise<boolean>, child: ChildProcess): Promise<boolean> {
  let over = false
  child.once('exit', () => {
    over = true
  })
  child.once('error', () => {
    over = true
  })
  for (const check of [...ports.map((port) => () => connects(port)), own]) {
    while (!over && !(await check())) await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return !over
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** Ends a child by SIGTERM, and by SIGKILL where it has not ended after two seconds. */
export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 2_000)
  await exited
  clearTimeout(timer)
}
