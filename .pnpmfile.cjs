// These say that they need Node 22, and run the tests of packages/cloudflare, packages/nest and apps/nest-api on Node 20 as
// well: tried.
// Every other dependency stays bound to what it says (engine-strict in .npmrc).
const runOnNode20 = new Set(['@cloudflare/kv-asset-handler', 'miniflare', 'nestjs-pino', 'wrangler'])
// Only installed there: packages/client and apps/lab load them on Node 22 and later.
const onlyInstalled = new Set(['@sindresorhus/is', 'got', 'ky', 'p-retry'])
const isUndici8 = ({ name, version }) => name === 'undici' && version.startsWith('8.')

module.exports = {
  hooks: {
    readPackage(manifest) {
      if (!runOnNode20.has(manifest.name) && !onlyInstalled.has(manifest.name) && !isUndici8(manifest)) return manifest
      const { engines: _said, ...rest } = manifest
      return rest
    },
  },
}
