import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const require = createRequire(import.meta.url)
/** workerd, from the npm package; its install script is not needed. */
const { default: command } = require('workerd') as { default: string }

const config = (flags: readonly string[], trusts: boolean): string => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "calls", worker = (modules = [(name = "worker.js", esModule = embed "worker.js")], compatibilityDate = "2026-01-01", compatibilityFlags = [${flags.map((flag) => `"${flag}"`).join(', ')}])),
    (name = "internet", network = (allow = ["local"]${trusts ? ', tlsOptions = (trustedCertificates = [embed "trusted.pem"])' : ''})),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "calls")],
);
`

/**
 * Bundles worker-calls.mjs, starts workerd with it, and gives it its order.
 * @param trusted a certificate, as PEM, that it is to trust
 */
export async function runOnWorkerd(order: string, flags: readonly string[], trusted?: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hopwise-client-workerd-'))
  try {
    await writeFile(join(folder, 'config.capnp'), config(flags, trusted !== undefined))
    if (trusted !== undefined) await writeFile(join(folder, 'trusted.pem'), trusted)
    await build({
      entryPoints: [fileURLToPath(new URL('worker-calls.mjs', import.meta.url))],
      outfile: join(folder, 'worker.js'),
      bundle: true,
      format: 'esm',
      target: 'es2023',
      conditions: ['workerd', 'worker'],
    })
    const child = spawn(command, ['serve', join(folder, 'config.capnp'), '--control-fd=1'], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
      const { port } = JSON.parse(line) as { port: number }
      const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: order })
      return await response.text()
    } finally {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}
