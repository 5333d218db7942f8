// Packs every published package as it would be published, and looks at it from outside: publint, are-the-types-wrong,
// then an empty folder that installs the tarballs and uses them as ESM, as CommonJS by require(), and in TypeScript.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const bin = (name) => join(root, 'node_modules', '.bin', name)
const folder = mkdtempSync(join(tmpdir(), 'hopwise-packed-'))

function run(command, args, cwd) {
  const done = spawnSync(command, args, { cwd, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } })
  if (done.status !== 0) {
    console.error(`${[command.split('/').at(-1), ...args].join(' ')}\n${done.stdout}${done.stderr}`)
    rmSync(folder, { recursive: true, force: true })
    process.exit(1)
  }
  return done.stdout
}

const tarballs = {}
for (const name of readdirSync(join(root, 'packages'))) {
  const source = join(root, 'packages', name)
  const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'))
  for (const field of ['description', 'keywords', 'license', 'engines', 'exports', 'files', 'sideEffects', 'publishConfig']) {
    if (manifest[field] === undefined) throw new Error(`${manifest.name}: package.json has no ${field}`)
  }
  const packed = JSON.parse(run(bin('pnpm'), ['pack', '--json', '--pack-destination', folder], source))
  tarballs[manifest.name] = packed.filename
  const inside = run('tar', ['-xOf', packed.filename, 'package/package.json'], folder)
  if (inside.includes('@hopwise/source')) throw new Error(`${manifest.name}: the source condition is in the tarball`)
  run(bin('publint'), ['--strict', packed.filename], root)
  run(bin('attw'), ['--profile', 'esm-only', packed.filename], root)
  console.log(`${manifest.name}: packed, publint and are-the-types-wrong agree`)
}

const consumer = join(folder, 'consumer')
cpSync(join(root, 'scripts', 'consumer'), consumer, { recursive: true })
const devDependenciesOf = (name) => JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')).devDependencies
const catalog = { ...devDependenciesOf('express'), ...devDependenciesOf('cloudflare'), ...devDependenciesOf('koa'), ...devDependenciesOf('fastify'), ...devDependenciesOf('hono'), ...devDependenciesOf('nest') }
writeFileSync(join(consumer, 'package.json'), JSON.stringify({
  private: true,
  type: 'module',
  dependencies: {
    ...Object.fromEntries(Object.entries(tarballs).map(([name, file]) => [name, `file:${file}`])),
    express: catalog.express,
    '@types/express': catalog['@types/express'],
    koa: catalog.koa,
    '@types/koa': catalog['@types/koa'],
    fastify: catalog.fastify,
    hono: catalog.hono,
    '@nestjs/common': catalog['@nestjs/common'],
    '@nestjs/core': catalog['@nestjs/core'],
    'reflect-metadata': catalog['reflect-metadata'],
    rxjs: catalog.rxjs,
    '@cloudflare/workers-types': catalog['@cloudflare/workers-types'],
  },
  overrides: Object.fromEntries(Object.entries(tarballs).map(([name, file]) => [name, `file:${file}`])),
}))
// As npm does it for people: `npm run` would hand this repository's engine-strict on.
run('npm', ['install', '--no-package-lock', '--no-audit', '--no-fund', '--prefer-offline', '--engine-strict=false'], consumer)
console.log(run(process.execPath, ['esm.mjs'], consumer).trim())
console.log(run(process.execPath, ['commonjs.cjs'], consumer).trim())
const counts = /^# pass \d+|^# fail \d+|^# skipped \d+/gm
console.log(`The guide's adapter, node --test: ${run(process.execPath, ['--test', '--test-reporter=tap', 'guide.test.mjs'], consumer).match(counts).join(', ').replaceAll('# ', '')}`)
for (const project of ['nodenext', 'bundler', 'koa', 'worker']) {
  run(bin('tsc'), ['-p', `tsconfig.${project}.json`], consumer)
  console.log(`TypeScript, tsconfig.${project}.json: ok`)
}
rmSync(folder, { recursive: true, force: true })
