import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { mergeConfig } from 'vitest/config'
import base from '../../vitest.base.js'

// No figures of use, no error reports, no request for a copy of Cloudflare's properties of a request.
Object.assign(process.env, { WRANGLER_SEND_METRICS: 'false', WRANGLER_SEND_ERROR_REPORTS: 'false', CLOUDFLARE_CF_FETCH_ENABLED: 'false' })

/** The worker of wrangler.toml, inside of workerd. */
export default mergeConfig(base, {
  ssr: { resolve: { conditions: ['@hopwise/source', 'workerd', 'worker'] } },
  plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' }, miniflare: { cf: false } })],
})
