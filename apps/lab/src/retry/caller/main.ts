import { createInterface } from 'node:readline'
import type { LabClient } from '../clients/client.js'
import { clients } from '../clients/registry.js'
import { deadLabel, gatherLabel, outageLabel } from '../counted/labels.js'
import { send, settle, timedCall } from './call.js'
import { runLosses } from './losses.js'
import type { CallerOptions, CallResult, DeadSocketsJob, Job, OutageJob, OutageResult, Results, WarmJob } from './messages.js'

/** One client in a process of its own, on any runtime. It reads a job a line, and writes a result a line. */
const { client: name, ...options } = JSON.parse(process.argv[2] ?? '') as CallerOptions
const client: LabClient = await clients[name].open(options)
const { signal } = new AbortController()

async function warm({ url }: WarmJob): Promise<true> {
  await send(client, 'GET', url, signal)
  await settle()
  return true
}

async function deadSockets({ origin, sockets, method }: DeadSocketsJob): Promise<CallResult> {
  await Promise.all(Array.from({ length: sockets }, (_, at) => send(client, 'GET', `${origin}/${gatherLabel}/${at}`, signal)))
  await settle()
  return timedCall(client, method, `${origin}/${deadLabel}/1`, 15_000)
}

async function outage({ origin, calls }: OutageJob): Promise<OutageResult> {
  const before = client.attempts?.() ?? 0
  let begun = 0
  let good = 0
  const worker = async (): Promise<void> => {
    while (begun < calls) {
      const id = (begun += 1)
      const answer = await send(client, id % 2 === 0 ? 'GET' : 'POST+key', `${origin}/${outageLabel}/${id}`, signal).catch(() => undefined)
      if (answer?.status === 200) good += 1
    }
  }
  await Promise.all(Array.from({ length: 32 }, worker))
  return { good, attempts: (client.attempts?.() ?? 0) - before }
}

function run(job: Job): Promise<Results[Job['kind']]> {
  switch (job.kind) {
    case 'warm':
      return warm(job)
    case 'one':
      return timedCall(client, job.method, job.url, job.patienceMs)
    case 'losses':
      return runLosses(client, job)
    case 'dead-sockets':
      return deadSockets(job)
    case 'outage':
      return outage(job)
  }
}

for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(await run(JSON.parse(line) as Job)))
// Connections that are kept would hold the process.
process.exit(0)
