// These say that they need Node 22, and run the tests of packages/cloudflare on Node 20.18 as well: tried.
// Every other dependency stays bound to what it says (engine-strict in .npmrc).
const runOnNode20 = new Set(['@cloudflare/kv-asset-handler', 'miniflare', 'wrangler'])

module.exports = {
  hooks: {
    readPackage(manifest) {
      if (!runOnNode20.has(manifest.name)) return manifest
      const { engines: _said, ...rest } = manifest
      return rest
    },
  },
}
