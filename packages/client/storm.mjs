import { createServer } from 'node:http'
import { createClient } from './dist/index.js'
const nth = new WeakMap(); const count = new Map()
const server = createServer((req, res) => { req.resume(); req.on('end', () => {
  const n = (nth.get(req.socket) ?? 0) + 1; nth.set(req.socket, n)
  const c = (count.get(req.url) ?? 0) + 1; count.set(req.url, c)
  if (n > 1 && c === 1 && Math.random() < 0.3) return Math.random() < 0.5 ? req.socket.resetAndDestroy() : req.socket.end()
  res.setHeader('content-length', 2); res.end('ok') }) })
server.keepAliveTimeout = 0
await new Promise((r) => server.listen(0, '127.0.0.1', r))
const origin = `http://127.0.0.1:${server.address().port}`
const api = createClient()
let id = 0; const kinds = {}; const times = []
const N = Number(process.argv[2] ?? 20000), W = Number(process.argv[3] ?? 8)
const t0 = performance.now()
await Promise.all(Array.from({ length: W }, async () => {
  while (id < N) {
    const i = id++; const kind = ['post', 'keyed', 'get'][i % 3]; const path = `/${kind}/${i}`
    const k = (kinds[kind] ??= { ok: 0, fail: 0, verdicts: {} })
    const from = performance.now()
    try {
      const r = await api(origin + path, kind === 'get' ? {} : { method: 'POST', body: 'x', headers: kind === 'keyed' ? { 'idempotency-key': path } : {} })
      await r.text(); k.ok++
      if (kind === 'get' && count.get(path) === 2) times.push(performance.now() - from)
    } catch (e) { k.fail++; k.verdicts[e.verdict] = (k.verdicts[e.verdict] ?? 0) + 1 }
  }
}))
const by = {}
for (const [url, c] of count) { const kind = url.split('/')[1]; by[kind] ??= {}; by[kind][c] = (by[kind][c] ?? 0) + 1 }
times.sort((a, b) => a - b)
console.log(process.version, JSON.stringify({ kinds, sendsByKind: by, repairedGets: times.length, p50: times[times.length >> 1]?.toFixed(1), p99: times[Math.floor(times.length * 0.99)]?.toFixed(1), s: ((performance.now() - t0) / 1000).toFixed(1) }))
process.exit(0)
