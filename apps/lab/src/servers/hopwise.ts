import type { PolicyOptions } from '@hopwise/core'
import { attach, type DrainReport, type Hop } from '@hopwise/node'
import type { AnyServer } from './stopper.js'

/** Attaches Hopwise, and drains at SIGTERM. `end` gets the report and ends the process. */
export function stopWithHopwise(server: AnyServer, policy: PolicyOptions, end: (report: DrainReport) => void): Hop {
  const hop = attach(server, policy)
  process.once('SIGTERM', () => void hop.drain().then(end))
  return hop
}
