import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const folder = dirname(fileURLToPath(import.meta.url))

/** What a file imports, and what the files that it imports do. */
function importsOf(file: string, seen = new Map<string, string[]>()): Map<string, string[]> {
  if (seen.has(file)) return seen
  const text = readFileSync(file, 'utf8')
  const names = [...text.matchAll(/\b(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, name = '']) => name)
  seen.set(file, names)
  for (const name of names) {
    const next = join(dirname(file), name.replace(/\.js$/, '.ts'))
    if (name.startsWith('.') && existsSync(next)) importsOf(next, seen)
  }
  return seen
}

function foreign(entry: string): string[] {
  return [...new Set([...importsOf(join(folder, entry)).values()].flat().filter((name) => !name.startsWith('.')))].toSorted()
}

test('the client and the interceptor import core and nothing else: no node:, no undici', () => {
  expect(foreign('index.ts')).toEqual(['@hopwise/core'])
  expect(foreign('undici/index.ts')).toEqual(['@hopwise/core'])
})

test('what is for Node is apart', () => {
  expect(foreign('node/index.ts')).toEqual(['@hopwise/core', 'node:http', 'node:https', 'node:stream'])
})

test('process is looked at in one place, and only for its built-in modules', () => {
  const looking = [...importsOf(join(folder, 'index.ts')).keys()].filter((file) => /\bprocess\b\s*[?.:]/.test(readFileSync(file, 'utf8').replaceAll(/^\s*(?:\/\/|\*|\/\*).*$/gm, '')))
  expect(looking.map((file) => file.slice(folder.length + 1))).toEqual(['watch/watch.ts'])
})
