import { nodeOption, nodesOf } from '../nodes.js'
import { defineScenario, type Row } from '../scenario.js'
import { selfSigned } from '../self-signed.js'
import { runCell } from './cell.js'
import { frontNames, type FrontName } from './front.js'
import { serverNames } from './server-names.js'

/** Two instances are restarted in turn under traffic: requests that got lost, for Hopwise and its peers. */
export const rolling = defineScenario({
  about: 'two instances restarted in turn under 1,000 requests/s, half of them POST: requests that got lost',
  options: {
    proxy: { kind: 'words', allowed: frontNames, about: 'what is in front [nginx]; may be said several times' },
    server: { kind: 'words', allowed: ['all', ...serverNames], about: 'who is restarted [all]; may be said several times' },
    restarts: { kind: 'whole', min: 1, max: 1_000, about: 'how often [8]' },
    node: nodeOption,
    delay: { kind: 'whole', min: 0, max: 60_000, about: 'ms from "not ready" to SIGTERM, as a preStop hook would have [0]' },
    rtt: { kind: 'whole', min: 0, max: 1_000, about: 'ms of round trip to the instances, by a relay [0]' },
    tls: { kind: 'flag', about: 'the instances serve HTTPS' },
  },
  run: async (values, { seed, short, say }) => {
    const proxies = values.proxy.length > 0 ? (values.proxy as readonly FrontName[]) : (['nginx'] as const)
    const named = values.server.length > 0 ? values.server : short ? ['hopwise', 'close'] : ['all']
    const servers = named.includes('all') ? serverNames : named
    const { restarts = short ? 2 : 8, delay: delayMs = 0, rtt: rttMs = 0 } = values
    const tls = values.tls ? await selfSigned() : undefined
    const rows: Row[] = []
    for (const node of await nodesOf(values.node)) {
      for (const proxy of proxies) {
        for (const server of servers) {
          say(`rolling: ${server} behind ${proxy}, Node ${node.version}`)
          rows.push(await runCell({ server, proxy, node, restarts, delayMs, rttMs, tls, seed }, say))
        }
      }
    }
    return { rows, ok: rows.every(({ server, failed }) => server !== 'hopwise' || failed === 0) }
  },
})
