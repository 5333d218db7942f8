import { readFileSync } from 'node:fs'

/** Where the examples are. */
export const readmePath = new URL('../../README.md', import.meta.url)

/** What an example has printed, and its `api` where it has made one. */
export interface ExampleRun {
  readonly printed: readonly unknown[][]
  readonly api: unknown
}

/** An example of the README: the packages that it imports, and the code as it stands there. */
export interface Example {
  readonly imports: readonly string[]
  readonly code: string
}

type AsyncFunctionConstructor = new (...names: string[]) => (load: (name: string) => Promise<unknown>, console: object) => Promise<unknown>
const AsyncFunction = (async () => {}).constructor as unknown as AsyncFunctionConstructor
const importLine = /^import (.+) from '(.+)'$/gm

/** Every JavaScript example of the README, in order. */
export function readmeExamples(): Example[] {
  const blocks = readFileSync(readmePath, 'utf8').matchAll(/^```js\n(.*?)^```$/gms)
  return [...blocks].map(([, code = '']) => ({ code, imports: [...code.matchAll(importLine)].map(([, , name = '']) => name) }))
}

/**
 * Runs an example as it stands, but for some texts in it and for where its imports are from.
 * @param replaced what stands there, and what to put in its place; one that does not stand there is an error
 */
export async function runExample({ code }: Example, replaced: Readonly<Record<string, string>>, load: (name: string) => Promise<unknown>): Promise<ExampleRun> {
  let text = code.replaceAll(importLine, (_line, what: string, name: string) => `const ${what.startsWith('{') ? what : `{ default: ${what} }`} = await load('${name}')`)
  for (const [from, to] of Object.entries(replaced)) {
    if (!text.includes(from)) throw new Error(`the example does not say ${from}`)
    text = text.replaceAll(from, to)
  }
  const printed: unknown[][] = []
  const print = (...values: unknown[]): unknown => printed.push(values)
  const api = await new AsyncFunction('load', 'console', `${text}\nreturn typeof api === 'undefined' ? undefined : api`)(load, { log: print, warn: print })
  return { printed, api }
}
