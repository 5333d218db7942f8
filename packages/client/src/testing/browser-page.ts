import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromiumFlags, findChromium } from '@hopwise/testkit/components'
import { build } from 'esbuild'
import { chromium, type Page } from 'playwright-core'

/** The built client, and what a test needs to break it. */
const entry = `
export * from './index.js'
export { createClientOf } from './client.js'
export { verdictRules } from './retry-rules.js'
`

/** A page of Chromium that has loaded the client as it is built, as `globalThis.hopwise`. */
export interface ClientPage {
  readonly page: Page
  close(): Promise<void>
}

/** Bundles the built client for browsers, serves a page with it, and opens that in a headless Chromium with a new profile. */
export async function openClientPage(): Promise<ClientPage> {
  const executablePath = findChromium()
  const client = await bundle()
  const profile = await mkdtemp(join(tmpdir(), 'hopwise-client-browser-'))
  const context = await chromium.launchPersistentContext(profile, { executablePath, args: [...chromiumFlags], headless: true, ignoreHTTPSErrors: true })
  const server = await servePage(client)
  const page = context.pages()[0] ?? (await context.newPage())
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  await page.waitForFunction('globalThis.hopwise !== undefined')
  return {
    page,
    async close() {
      await context.close()
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
      await rm(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: entry, resolveDir: fileURLToPath(new URL('../../dist/', import.meta.url)) },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
  })
  return outputFiles[0]?.text ?? ''
}

async function servePage(client: string): Promise<Server> {
  const files: Readonly<Record<string, readonly [type: string, text: string]>> = {
    '/': ['text/html', '<!doctype html><title>client</title><script type="module">globalThis.hopwise = await import("/client.js")</script>'],
    '/client.js': ['text/javascript', client],
  }
  const server = createServer(({ url = '' }, response) => {
    const [type, text] = files[url] ?? []
    if (text === undefined) response.writeHead(404).end()
    else response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(text)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}
