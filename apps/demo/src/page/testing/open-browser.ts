import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromiumFlags, findChromium } from '@hopwise/testkit/components'
import { chromium, type Page } from 'playwright-core'

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
  const context = await chromium.launchPersistentContext(profile, { executablePath, args: [...chromiumFlags], headless: true })
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
