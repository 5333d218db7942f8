import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Page } from 'playwright-core'
import { findChromium } from './find-chromium.js'

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A page in a headless Chromium of its own. */
export interface Browser {
  readonly page: Page
  /** What the page wrote to the console as an error, or threw. */
  readonly errors: readonly string[]
  close(): Promise<void>
}

/** Opens a headless Chromium with a new profile, which close() removes. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = findChromium()
  const profile = await mkdtemp(join(tmpdir(), 'hopwise-page-'))
  const context = await chromium.launchPersistentContext(profile, { executablePath, args: flags, headless: true })
  const page = context.pages()[0] ?? (await context.newPage())
  const errors: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
  page.on('pageerror', (error) => errors.push(error.message))
  return {
    page,
    errors,
    async close() {
      await context.close()
      await rm(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
