import { defineConfig } from 'vitest/config'

/** One configuration for every package: from `src` with no build, over real sockets, no retries. */
export default defineConfig({
  ssr: { resolve: { conditions: ['@hopwise/source', 'node'] } },
  test: {
    include: ['src/**/*.test.ts'],
    reporters: ['default', 'json'],
    outputFile: { json: process.env['HOPWISE_REPORT'] ?? '.reports/test.json' },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    retry: 0,
    // Most tests wait for sockets, not for the processor; on two cores Vitest's own choice is one.
    maxWorkers: 2,
    dangerouslyIgnoreUnhandledErrors: false,
  },
})
