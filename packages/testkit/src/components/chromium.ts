import { findBinary, MissingComponent } from './find-binary.js'

/** Headless, whoever runs it, and nothing goes out but what a page asks for. */
export const chromiumFlags: readonly string[] = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/**
 * The path of an installed Chromium, for playwright-core, which brings none along.
 * @throws MissingComponent where there is none: a test without a browser fails, it is not skipped
 */
export function findChromium(...names: readonly string[]): string {
  const found = findBinary(...(names.length === 0 ? ['chromium', 'chromium-browser', 'google-chrome'] : names))
  if (found === undefined) throw new MissingComponent('chromium', 'chromium fonts-dejavu-core')
  return found
}
