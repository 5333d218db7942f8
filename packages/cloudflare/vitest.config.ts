import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { mergeConfig } from 'vitest/config'
import base from '../../vitest.base.js'

// No figures of use, no error reports, no request for a copy of Cloudflare's properties of a request.
Object.assign(process.env, { WRANGLER_SEND_METRICS: 'false', WRANGLER_SEND_ERROR_REPORTS: 'false', CLOUDFLARE_CF_FETCH_ENABLED: 'false' })

/** The tests run inside of workerd, where the bindings are real. */
export default mergeConfig(base, {
  ssr: { resolve: { conditions: ['@hopwise/source', 'workerd', 'worker'] } },
  plugins: [
    cloudflareTest({
      main: './src/testing/worker.ts',
      miniflare: {
        cf: false,
        compatibilityDate: '2026-01-01',
        durableObjects: {
          KEYS: { className: 'IdempotencyObject', useSQLite: true },
          CLOCKED: { className: 'ClockedObject', useSQLite: true },
        },
        d1Databases: ['DATABASE', 'OTHER_DATABASE'],
        kvNamespaces: ['CACHE'],
        r2Buckets: ['BUCKET'],
      },
    }),
  ],
})
