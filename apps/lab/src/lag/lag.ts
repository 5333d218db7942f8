import { setTimeout as wait } from 'node:timers/promises'
import { rawConnect, requestText } from '@hopwise/testkit/adapter'
import { startLabChild } from '../lab-child.js'
import { nodeOption, nodesOf, type LabNode } from '../nodes.js'
import { defineScenario, type Row } from '../scenario.js'
import type { FromServer, LagOptions, Phase } from './messages.js'
import { sentAfterMs } from './times.js'

const sockets = 50
const phases: readonly Phase[] = ['timer', 'poll', 'check']
const servers = ['node', 'hopwise'] as const
/** Where the first answers are spread over more than this, the deadlines are too, and nothing is measured. */
const mostSpreadMs = 100
const request = requestText('POST', '/', {}, '{}')

/** The event loop is blocked across the idle deadline, and requests come just before it. */
export const lag = defineScenario({
  about: 'requests sent just before the idle deadline to a server whose event loop is blocked beyond it',
  options: { node: nodeOption },
  run: async (values, { short, say }) => {
    const rows: Row[] = []
    for (const node of await nodesOf(values.node)) {
      for (const phase of phases) {
        for (const lagMs of short ? [1_000] : [200, 1_000, 3_000]) {
          say(`lag: ${lagMs} ms in the ${phase} phase, Node ${node.version}`)
          for (const server of servers) rows.push({ server, node: node.version, phase, lag_ms: lagMs, served: await measure(node, { server, phase, lagMs, sockets }, say), of: sockets })
        }
      }
    }
    return { rows, ok: rows.every(({ server, served, of }) => server !== 'hopwise' || served === of) }
  },
})

async function measure(node: LabNode, options: LagOptions, say: (text: string) => void): Promise<number> {
  for (let triesLeft = 10; triesLeft > 0; triesLeft--) {
    const served = await measureOnce(node, options)
    if (served !== undefined) return served
    say('lag: the machine is too busy to have all connections idle at once, again')
  }
  throw new Error('lag: the machine is too busy to have all connections idle at once')
}

/** How many of the second requests are answered; undefined where the first ones were too far apart. */
async function measureOnce(node: LabNode, options: LagOptions): Promise<number | undefined> {
  const child = startLabChild<FromServer, never>(node.path, new URL('server.js', import.meta.url), options)
  const { port } = await child.next('listening')
  const connections = await Promise.all(Array.from({ length: sockets }, () => rawConnect(port)))
  try {
    const blocked = child.next('blocked')
    for (const connection of connections) connection.write(request)
    await Promise.all(connections.map((connection) => connection.response()))
    const { spreadMs } = await blocked
    if (spreadMs > mostSpreadMs) return undefined
    await wait(sentAfterMs)
    for (const connection of connections) connection.write(request)
    const answers = await Promise.allSettled(connections.map((connection) => connection.response()))
    return answers.filter(({ status }) => status === 'fulfilled').length
  } finally {
    child.kill('SIGKILL')
    for (const connection of connections) connection.destroy()
  }
}
