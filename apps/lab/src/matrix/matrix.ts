import { startLabChild } from '../lab-child.js'
import { nodeOption, nodesOf, type LabNode } from '../nodes.js'
import { defineScenario, type Row } from '../scenario.js'
import { selfSigned, type Certificate } from '../self-signed.js'
import { caseTools, type Case } from './case.js'
import { arriving } from './cases/arriving.js'
import { http2 } from './cases/http2.js'
import { inFlight } from './cases/in-flight.js'
import { long } from './cases/long.js'
import type { FromServer, MatrixOptions, ToServer } from './messages.js'

const serverNames = ['hopwise', 'close', 'stoppable', 'terminus', 'http-terminator', 'http-graceful-shutdown'] as const
const cases = [...inFlight, ...arriving, ...long, ...http2].toSorted((one, other) => Number(one.name.slice(1)) - Number(other.name.slice(1)))

const deadlineMs = 3_000
/** From the deadline on: whoever has not ended by then hangs. */
const hangMs = 2_000

/** Thirteen states of one connection at the moment of the stop, and what comes of them. */
export const matrix = defineScenario({
  about: 'thirteen states of a connection at the moment of the stop, and what comes of each',
  options: {
    server: { kind: 'words', allowed: serverNames, about: 'only this server; may be said several times' },
    case: { kind: 'words', allowed: cases.map(({ name }) => name), about: 'only this case; may be said several times' },
    node: nodeOption,
  },
  run: async (values, { say }) => {
    const tls = await selfSigned()
    const rows: Row[] = []
    for (const node of await nodesOf(values.node)) {
      for (const one of cases.filter(({ name }) => values.case.length === 0 || values.case.includes(name))) {
        say(`matrix: ${one.name} on Node ${node.version}: ${one.about}`)
        for (const server of serverNames.filter((name) => values.server.length === 0 || values.server.includes(name))) rows.push(await runCase(one, server, node, tls))
      }
    }
    return { rows, ok: rows.every(({ server, ok }) => server !== 'hopwise' || ok === true) }
  },
})

async function runCase(one: Case, server: string, node: LabNode, tls: Certificate): Promise<Row> {
  const options: MatrixOptions = { server, protocol: one.protocol, deadlineMs, tls }
  const child = startLabChild<FromServer, ToServer>(node.path, new URL('server.js', import.meta.url), options)
  const { port } = await child.next('listening')
  let stoppedAt = Number.NaN
  let endedAt = Number.NaN
  const stopping = (): void => {
    stoppedAt = performance.now()
    setTimeout(() => child.kill('SIGKILL'), deadlineMs + hangMs).unref()
  }
  void child.exited.then(() => (endedAt = performance.now()))
  const tools = caseTools({
    port,
    began: async () => void (await child.next('began')),
    stop: () => {
      child.kill('SIGTERM')
      stopping()
    },
    blockThenStop: async (milliseconds) => {
      const blocked = child.next('blocked')
      child.tell({ kind: 'block-then-stop', milliseconds })
      await blocked
      stopping()
    },
  })
  try {
    const { outcome, right } = await one.run(tools)
    await child.exited
    const stopMs = Math.round(endedAt - stoppedAt)
    const hangs = stopMs >= deadlineMs + hangMs
    return { case: one.name, server, node: node.version, outcome, stop_ms: hangs ? `HANG > ${deadlineMs + hangMs}` : stopMs, ok: right && stopMs <= deadlineMs }
  } finally {
    child.kill('SIGKILL')
    tools.close()
  }
}
