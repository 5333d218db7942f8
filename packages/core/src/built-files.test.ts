import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parseAst } from 'vitest/node'

const built = fileURLToPath(new URL('../dist/', import.meta.url))
const sources = fileURLToPath(new URL('.', import.meta.url))

interface Node {
  readonly type: string
  readonly [part: string]: unknown
}

/** The only file that may look at the host's `process`, and only in the one way that {@link guardedLook} knows. */
const contextFile = 'request-id/context.js'
const nodeOnly = new Set(['process', 'Buffer', 'createRequire', 'require', 'getBuiltinModule', 'eval', 'Function'])

/** What a file holds that keeps it from running where there is no Node. Read from its syntax: comments may say what they like. */
function offences(file: string, text: string): string[] {
  const nodes = flatten(parseAst(text, { lang: file.endsWith('.d.ts') ? 'dts' : 'js' }))
  const allowed = file === contextFile ? guardedLook(nodes) : new Set<Node>()
  return nodes.flatMap((node) => (allowed.has(node) ? [] : offence(node)))
}

function offence(node: Node): string[] {
  if (node.type === 'ImportExpression' || node.type === 'TSExternalModuleReference') {
    return isLocal(node['source'] ?? node['expression']) ? [] : [`${node.type} of ${nameOf(node['source'] ?? node['expression'])}`]
  }
  if (['ImportDeclaration', 'ExportNamedDeclaration', 'ExportAllDeclaration', 'TSImportType'].includes(node.type)) {
    const source = node['source'] ?? node['argument']
    return source === null || source === undefined || isLocal(source) ? [] : [`${node.type} of ${nameOf(source)}`]
  }
  if (node.type === 'Identifier') return nodeOnly.has(nameOf(node)) ? [nameOf(node)] : []
  if (node.type === 'Literal' || node.type === 'TemplateElement') {
    const name = nameOf(node)
    return nodeOnly.has(name) || name.startsWith('node:') ? [`'${name}'`] : []
  }
  return []
}

/** A file of ours by its relative path: what is imported by any other name, a name put together included, may be anything. */
function isLocal(source: unknown): boolean {
  return isNode(source) && source.type === 'Literal' && /^\.\.?\/[\w./-]+\.js$/.test(nameOf(source))
}

/**
 * The nodes of `const host = globalThis.process` and `host?.getBuiltinModule?.('async_hooks')`, if each is there once
 * and `host` is used for nothing else; else none.
 */
function guardedLook(nodes: readonly Node[]): Set<Node> {
  const declared = nodes.filter((node) => node.type === 'VariableDeclarator' && nameOf(node['id']) === 'host')
  const uses = nodes.filter((node) => node.type === 'Identifier' && nameOf(node) === 'host')
  const looks = nodes.filter((node) => isMember(node, 'globalThis', 'process', false))
  const calls = nodes.filter((node) => node.type === 'CallExpression' && node['optional'] === true && isMember(node['callee'], 'host', 'getBuiltinModule', true))
  const [look] = looks
  const [call] = calls
  const once = [declared, looks, calls].every((found) => found.length === 1) && uses.length === 2 && declared[0]?.['init'] === look
  const asked = call?.['arguments']
  if (call === undefined || !once || !Array.isArray(asked) || asked.length !== 1 || nameOf(asked[0]) !== 'async_hooks') return new Set()
  return new Set([look, call['callee']].flatMap((member) => (isNode(member) && isNode(member['property']) ? [member['property']] : [])))
}

function isMember(node: unknown, object: string, property: string, optional: boolean): boolean {
  return isNode(node) && node.type === 'MemberExpression' && node['computed'] === false && node['optional'] === optional
    && nameOf(node['object']) === object && nameOf(node['property']) === property
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

/** The name of an identifier, the value of a literal, the text of a template's piece. */
function nameOf(node: unknown): string {
  if (!isNode(node)) return ''
  const value = node['name'] ?? node['value']
  if (typeof value === 'object' && value !== null && 'cooked' in value) return String(value.cooked)
  return typeof value === 'string' ? value : node.type
}

function flatten(value: unknown): Node[] {
  if (Array.isArray(value)) return value.flatMap(flatten)
  if (typeof value !== 'object' || value === null) return []
  return [...(isNode(value) ? [value] : []), ...Object.values(value).flatMap(flatten)]
}

const look = "const host = globalThis.process;\nconst Storage = host?.getBuiltinModule?.('async_hooks')?.AsyncLocalStorage;"

describe('the check finds', () => {
  test.each([
    "import { readFileSync } from 'node:fs'",
    "import 'node:fs'",
    "import fs from 'fs'",
    "import * as hooks from 'async_hooks'",
    "import { Hono } from 'hono'",
    "import x from '@hopwise/node'",
    "import x from '/absolute.js'",
    "import x from 'https://example.com/x.js'",
    "import x from './no-extension'",
    "import x from './data.json' with { type: 'json' }",
    "export { readFileSync } from 'node:fs'",
    "export * from 'undici'",
    "export * as fs from 'fs'",
    "const fs = await import('node:fs')",
    "const fs = await import('fs')",
    "const name = 'fs'; await import(name)",
    "await import('node' + ':fs')",
    'await import(`./${name}.js`)',
    "const fs = require('fs')",
    "module.require('fs')",
    "typeof require === 'function'",
    "import { createRequire } from './module.js'",
    "module.createRequire(import.meta.url)",
    "module['createRequire'](import.meta.url)",
    "Buffer.from('a')",
    'value instanceof Buffer',
    "globalThis.Buffer?.from('a')",
    "globalThis['Buffer']",
    'globalThis[`Buffer`]',
    "'Buffer' in globalThis",
    'const { Buffer } = globalThis',
    'process.env.NODE_ENV',
    "typeof process === 'undefined'",
    'globalThis.process',
    'globalThis?.process?.version',
    "globalThis['process']",
    'globalThis[`process`]',
    'const { process: host } = globalThis',
    'self.process',
    "globalThis['pro' + 'cess'].getBuiltinModule('fs')",
    "const fs = 'node:fs'",
    "eval('process')",
    "new Function('return process')()",
    look,
  ])('%s', (text) => {
    expect(offences('idempotency/engine.js', text)).not.toEqual([])
  })

  test.each([
    "import { Buffer } from 'node:buffer'",
    "export declare function take(bytes: Buffer): void",
    "export declare function take(env: typeof process.env): void",
    "export declare const stream: import('node:stream').Readable",
    "export declare const hono: import('hono').Hono",
    "import fs = require('fs')",
    "export * from 'undici-types'",
  ])('in declarations %s', (text) => {
    expect(offences('index.d.ts', text)).not.toEqual([])
  })

  test.each([
    `${look}\nprocess.exit()`,
    `${look}\nhost.exit()`,
    `${look}\nconst other = globalThis.process;`,
    `${look}\nhost?.getBuiltinModule?.('async_hooks');`,
    "const host = process;\nhost?.getBuiltinModule?.('async_hooks');",
    "const host = globalThis['process'];\nhost?.getBuiltinModule?.('async_hooks');",
    "const host = globalThis.process;\nhost.getBuiltinModule?.('async_hooks');",
    "const host = globalThis.process;\nhost?.getBuiltinModule('async_hooks');",
    "const host = globalThis.process;\nhost?.getBuiltinModule?.('fs');",
    "const host = globalThis.process;\nhost?.getBuiltinModule?.('node:async_hooks');",
    "const host = globalThis.process;\nhost?.env;",
    `${look}\nimport 'node:async_hooks'`,
  ])('in the one file that may look, every look but the guarded one: %s', (text) => {
    expect(offences(contextFile, text)).not.toEqual([])
  })
})

describe('the check lets pass', () => {
  test.each([
    "import { digest } from './digest.js'",
    "import { Events } from '../events.js'",
    "export * from './policy/index.js'",
    "export { x } from './x.js'; export const y = 1",
    "await import('./lazy.js')",
    '// import fs from "node:fs"; process.exit()',
    "/** A Buffer, the process, require('fs') */ const keepAliveTimeoutBuffer = 1",
    "const text = 'the process died, and its Buffer is required'",
    "const url = 'https://example.com' // process",
    'const processed = bufferOf(/process|Buffer/)',
  ])('%s', (text) => {
    expect(offences('idempotency/engine.js', text)).toEqual([])
  })

  test('the one guarded look, in its file', () => {
    expect(offences(contextFile, look)).toEqual([])
  })
})

describe('the built files', () => {
  const files = filesIn(built).filter((file) => /\.(?:js|d\.ts)$/.test(file))

  test('are those of the sources, each with its declarations, and nothing else: no test, no fixture', () => {
    const names = filesIn(sources).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.includes('testing/')).map((file) => file.slice(0, -'.ts'.length))
    expect(filesIn(built).toSorted()).toEqual(names.flatMap((name) => [`${name}.d.ts`, `${name}.js`]).toSorted())
  })

  test.each(files)('%s runs where there is no Node', (file) => {
    expect(offences(file, readFileSync(`${built}${file}`, 'utf8'))).toEqual([])
  })

  test('look at process in one place', () => {
    const looking = files.filter((file) => flatten(parseAst(readFileSync(`${built}${file}`, 'utf8'), { lang: file.endsWith('.d.ts') ? 'dts' : 'js' })).some((node) => nameOf(node) === 'process'))
    expect(looking).toEqual([contextFile])
  })
})

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath}/${entry.name}`.slice(folder.length).replace(/^\/+/, ''))
  } catch (error) {
    throw new Error(`there is nothing in ${folder}: run the build first`, { cause: error })
  }
}
