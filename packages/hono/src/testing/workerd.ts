import { cp, mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { startCommand } from './runtimes.js'

const require = createRequire(import.meta.url)
/** workerd, from the npm package; its install script is not needed. */
const { default: command } = require('workerd') as { default: string }

/** A worker that runs. */
export interface RunningWorker {
  /** Where workerd's own HTTP server listens. */
  readonly url: string
  end(): Promise<void>
}

/** Bundles a worker of `src/testing`, as built, and starts workerd with it. */
export async function startWorker(entry: string): Promise<RunningWorker> {
  const folder = await mkdtemp(join(tmpdir(), 'hopwise-workerd-'))
  const remove = () => rm(folder, { recursive: true })
  try {
    await cp(new URL('workerd.capnp', import.meta.url), join(folder, 'workerd.capnp'))
    await build({
      entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
      outfile: join(folder, 'worker.js'),
      bundle: true,
      format: 'esm',
      target: 'es2023',
      conditions: ['workerd', 'worker'],
    })
    // `--control-fd` makes it say its port, as the programs of the other runtimes do.
    const program = await startCommand({ command, args: ['serve', join(folder, 'workerd.capnp'), '--control-fd=1'], env: {} })
    return {
      url: `http://127.0.0.1:${program.first.port}`,
      end: async () => {
        await program.end()
        await remove()
      },
    }
  } catch (error) {
    await remove()
    throw error
  }
}
