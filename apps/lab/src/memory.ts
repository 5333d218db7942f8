import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { defineScenario, type Row } from './scenario.js'

/** Heap after all keys have expired and been swept may be this many bytes a key above the heap before. */
const steadyBytes = 4

/** What keys cost in this process's memory, and that nothing is left of them when they have expired. */
export const memory = defineScenario({
  about: 'bytes a pending and a done key, and the heap after a million keys have come and gone',
  options: {},
  run: async (_values, { short }) => {
    const keys = short ? 100_000 : 1_000_000
    // A process of its own, whose heap nobody else touches, with the collector at hand.
    const script = fileURLToPath(new URL('memory-worker.js', import.meta.url))
    const done = spawnSync(process.execPath, ['--expose-gc', '--max-old-space-size=8192', script, String(keys)], { encoding: 'utf8' })
    if (done.status !== 0) throw new Error(`the memory worker failed: ${done.stderr}`)
    const row = JSON.parse(done.stdout) as Row
    return { rows: [row], ok: Number(row['left_bytes_a_key']) <= steadyBytes }
  },
})
