import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { mergeConfig } from 'vitest/config'
import base from '../../vitest.base.js'

// No figures of use, no error reports, no request for a copy of Cloudflare's properties of a request.
Object.assign(process.env, { WRANGLER_SEND_METRICS: 'false', WRANGLER_SEND_ERROR_REPORTS: 'false', CLOUDFLARE_CF_FETCH_ENABLED: 'false' })

/** The same tests once more, inside of workerd. */
export default mergeConfig(base, {
  ssr: { resolve: { conditions: ['@hopwise/source', 'workerd', 'worker'] } },
  plugins: [
    cloudflareTest({
      miniflare: {
        cf: false,
        compatibilityDate: '2026-01-01',
        // Without it a rejection that is handled a microtask later counts as unhandled, and fails the run.
        compatibilityFlags: ['unhandled_rejection_after_microtask_checkpoint'],
      },
    }),
  ],
  test: {
    exclude: [
      // Reads what is built from the disk.
      'src/built-files.test.ts',
      // Reads the README from the disk, and runs what is printed for PM2 in a `node:vm`.
      'src/policy/deployment.test.ts',
    ],
    // One isolate for all files: to start one for each took most of the time.
    isolate: false,
    maxWorkers: 1,
    outputFile: { json: '.reports/workerd.json' },
  },
})
