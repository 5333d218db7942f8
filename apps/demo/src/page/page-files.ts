import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/** A file that the page's server answers with. */
export interface PageFile {
  readonly type: string
  readonly body: Buffer
}

/**
 * Reads the page's files, keyed by the path of their URL. They are small and are read once.
 * @throws the file system's error where one is missing
 */
export async function readPageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  // Two levels below apps/demo, from src/page and from dist/page alike.
  const own = (name: string): string => fileURLToPath(new URL(`../../page/${name}`, import.meta.url))
  const require = createRequire(import.meta.url)
  const sources: readonly (readonly [path: string, file: string, type: string])[] = [
    ['/', own('index.html'), 'text/html; charset=utf-8'],
    ['/page.css', own('page.css'), 'text/css; charset=utf-8'],
    ['/page.js', own('page.js'), 'text/javascript; charset=utf-8'],
    ['/chart.js', own('chart.js'), 'text/javascript; charset=utf-8'],
    ['/icon.svg', own('icon.svg'), 'image/svg+xml'],
    ['/uplot.js', require.resolve('uplot/dist/uPlot.esm.js'), 'text/javascript; charset=utf-8'],
    ['/uplot.css', require.resolve('uplot/dist/uPlot.min.css'), 'text/css; charset=utf-8'],
  ]
  return new Map(await Promise.all(sources.map(async ([path, file, type]) => [path, { type, body: await readFile(file) }] as const)))
}
