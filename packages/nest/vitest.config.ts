import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig, mergeConfig } from 'vitest/config'
import base from '../../vitest.base.js'

/** Where Nest 11 is installed with peers of its own: an alias in package.json would give it those of Nest 12. */
const nest11 = fileURLToPath(new URL('nest11/node_modules/@nestjs/', import.meta.url))

/** Every test runs on both versions of Nest. */
export default mergeConfig(base, defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'nest 12', env: { NEST: '12' } } },
      {
        extends: true,
        resolve: { alias: readdirSync(nest11).map((name) => ({ find: new RegExp(`^@nestjs/${name}(?=/|$)`), replacement: nest11 + name })) },
        test: { name: 'nest 11', env: { NEST: '11' } },
      },
    ],
  },
}))
