import { fork } from 'node:child_process'
import { createServer } from 'node:http'
if (process.argv[2] === 'server') {
  const server = createServer((req, res) => { req.resume(); req.on('end', () => { res.setHeader('content-length', 2); res.end('ok') }) })
  server.listen(0, '127.0.0.1', () => process.send(server.address().port))
} else {
  const child = fork(process.argv[1], ['server'])
  const port = await new Promise((r) => child.once('message', r))
  const origin = `http://127.0.0.1:${port}`
  const bare = fetch
  const cpu = async (f, n) => { const c = process.cpuUsage(); for (let i = 0; i < n; i++) await (await f(origin + '/x', { method: 'POST', body: 'x' })).text(); const d = process.cpuUsage(c); return ((d.user + d.system) / n).toFixed(0) }
  console.log('before subscription bare µs', await cpu(bare, 1500), await cpu(bare, 1500))
  const { createClient } = await import('./dist/index.js')
  const api = createClient()
  for (let i = 0; i < 4; i++) console.log('bare', await cpu(bare, 1000), 'client', await cpu(api, 1000))
  child.kill(); process.exit(0)
}
