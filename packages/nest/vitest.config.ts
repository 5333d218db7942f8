import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig, mergeConfig } from 'vitest/config'
import base from '../../vitest.base.js'

/** Where Nest 11 is installed with peers of its own: an alias in package.json would give it those of Nest 12. */
const nest11 = fileURLToPath(new URL('nest11/node_modules/', import.meta.url))
const packages = [...readdirSync(`${nest11}@nestjs`).map((name) => `@nestjs/${name}`), 'nestjs-pino']

/** Every test runs on both versions of Nest. */
export default mergeConfig(base, defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'nest 12', env: { NEST: '12' } } },
      {
        extends: true,
        resolve: { alias: packages.map((name) => ({ find: new RegExp(`^${name}(?=/|$)`), replacement: nest11 + name })) },
        test: { name: 'nest 11', env: { NEST: '11' } },
      },
    ],
  },
}))
