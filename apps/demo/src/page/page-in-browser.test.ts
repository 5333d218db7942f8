import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { findChromium } from '@hopwise/testkit/components'
import { afterEach, describe, expect, it } from 'vitest'
import { servePage, type ServedPage } from './serve-page.js'
import { openBrowser, type Browser } from './testing/open-browser.js'
import { contrasts, countPixels, type Contrast } from './testing/probes.js'
import { createScriptedDemo, type ScriptedDemo } from './testing/scripted-demo.js'

const screenshots = fileURLToPath(new URL('../../screenshots/', import.meta.url))
let served: ServedPage | undefined
let browser: Browser | undefined

afterEach(async () => {
  await browser?.close()
  await served?.close()
  browser = served = undefined
})

async function open(options: { readonly ok: boolean }): Promise<Browser & { readonly demo: ScriptedDemo; readonly served: ServedPage }> {
  const demo = createScriptedDemo(options)
  served = await servePage({ snapshot: demo.snapshot, port: 0, intervalMs: 5 })
  browser = await openBrowser()
  await browser.page.setViewportSize({ width: 1280, height: 900 })
  await browser.page.emulateMedia({ colorScheme: 'light' })
  await browser.page.goto(served.url)
  return { ...browser, demo, served }
}

describe('the page in a browser', () => {
  it('shows the acts, the figures and the instances as they come', async () => {
    const { page, demo, errors } = await open({ ok: true })
    await page.locator('#act-now', { hasText: /^Starting$/ }).waitFor()
    await page.locator('#connection', { hasText: /^live$/ }).waitFor()
    await page.locator('#proxy', { hasText: /^nginx 1\.22\.1$/ }).waitFor()
    await page.locator('#plain .instances li', { hasText: /^B · starting · start 1$/ }).waitFor()
    expect(await page.locator('[aria-current]').count()).toBe(0)

    demo.playTo('idle-race')
    await page.locator('#elapsed', { hasText: /^0:30$/ }).waitFor()
    expect(await page.locator('#act-now').textContent()).toBe('Act 1 of 3: Idle race')
    expect(await page.locator('[aria-current=step] h3').allTextContents()).toEqual(['Idle race'])
    expect(await page.locator('.act-state').allTextContents()).toEqual(['now', 'next', 'next'])
    expect(await page.locator('#plain [data-figure=failed]').textContent()).toBe('42')
    expect(await page.locator('#plain [data-loss=failed]').textContent()).toBe('✕ no answer, or 5xx')
    expect(await page.locator('#plain .bad dt').allTextContents()).toEqual(['Failed'])
    expect(await page.locator('#hopwise [data-figure=failed]').textContent()).toBe('0')
    expect(await page.locator('#hopwise [data-loss=failed]').textContent()).toBe('✓ none')
    expect(await page.locator('.instances li').allTextContents()).toEqual(['A · ready · start 1', 'B · ready · start 1', 'A · ready · start 1', 'B · ready · start 1'])
    expect(await page.locator('#results').isHidden()).toBe(true)

    demo.playTo('deploy')
    await page.locator('#elapsed', { hasText: /^1:00$/ }).waitFor()
    expect(await page.locator('.act-state').allTextContents()).toEqual(['done', 'now', 'next'])
    expect(await page.locator('#hopwise .instances li').allTextContents()).toEqual(['A · ready · start 2', 'B · ready · start 2'])
    expect(await page.locator('#results tbody').count()).toBe(1)
    expect(errors).toEqual([])
  })

  it('shows the results and the verdict at the end, and keeps them when the demo ends', async () => {
    const { page, demo, errors, served: shown } = await open({ ok: true })
    demo.playTo('done')
    await page.locator('#verdict', { hasText: /^Hopwise lost nothing and doubled nothing; plain did\.$/ }).waitFor()
    expect(await page.locator('.act-state').allTextContents()).toEqual(['done', 'done', 'done'])
    expect(await page.locator('#plain .figures dd').allTextContents()).toEqual(['16,527', '420', '16,107'])
    expect(await page.locator('#hopwise [data-figure=duplicates]').textContent()).toBe('0')
    expect(await page.locator('#results thead th').allTextContents()).toEqual(['requests', 'failed', 'duplicates', 'connections opened', 'requests reused'])
    expect(await page.locator('#results tbody tr:nth-child(2) td:nth-child(3)').allTextContents()).toEqual(['✕ 42', '✕ 7', '0'])
    expect(await page.locator('#results tbody tr:nth-child(3) td:nth-child(3)').allTextContents()).toEqual(['0', '0', '0'])
    expect(errors).toEqual([])

    await shown.close()
    await page.locator('#connection', { hasText: /^the demo has ended$/ }).waitFor()
    expect(await page.locator('#plain [data-figure=failed]').textContent()).toBe('49')
  })

  it('says so where hopwise lost something too', async () => {
    const { page, demo } = await open({ ok: false })
    demo.playTo('done')
    await page.locator('#verdict', { hasText: /^Not as it should be: see the table\.$/ }).waitFor()
    expect(await page.locator('#hopwise .bad dt').allTextContents()).toEqual(['Failed', 'Duplicates'])
  })

  it('is legible in light, in the dark and on a phone, and draws the chart in each', async () => {
    const { page, demo, errors } = await open({ ok: true })
    demo.playTo('done')
    await page.locator('#verdict').waitFor()
    await mkdir(screenshots, { recursive: true })
    const views = [
      { name: 'desktop-light', scheme: 'light', width: 1280, plain: [185, 86, 11], hopwise: [11, 107, 112] },
      { name: 'desktop-dark', scheme: 'dark', width: 1280, plain: [242, 161, 84], hopwise: [88, 188, 194] },
      { name: 'phone-dark', scheme: 'dark', width: 360, plain: [242, 161, 84], hopwise: [88, 188, 194] },
    ] as const
    for (const view of views) {
      await page.setViewportSize({ width: view.width, height: 900 })
      await page.emulateMedia({ colorScheme: view.scheme, reducedMotion: 'reduce' })
      await page.screenshot({ path: `${screenshots}${view.name}.png`, fullPage: true })
      expect(await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth'), `${view.name} scrolls sideways`).toBe(true)
      expect(await page.evaluate<number>(countPixels('#failures canvas', view.plain)), `${view.name}: bars of plain`).toBeGreaterThan(50)
      expect(await page.evaluate<number>(countPixels('#rate canvas', view.plain)), `${view.name}: line of plain`).toBeGreaterThan(50)
      expect(await page.evaluate<number>(countPixels('#rate canvas', view.hopwise)), `${view.name}: line of hopwise`).toBeGreaterThan(50)
      const low = (await page.evaluate<Contrast[]>(contrasts)).filter(({ ratio }) => ratio < 4.5)
      expect(low, `${view.name}: contrast`).toEqual([])
    }
    expect(errors).toEqual([])
  })
})

describe('findChromium', () => {
  it('says how to install it where it is missing', () => {
    expect(() => findChromium('/nowhere/chromium')).toThrow('sudo apt-get install -y --no-install-recommends chromium fonts-dejavu-core')
  })
})
