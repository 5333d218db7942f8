// An order service in a process of its own, to be killed: `node killed-server.mjs FILE LEASE_MS [--slow]`.
import express from 'express'
import Libsql from 'libsql'
import { sqliteStore } from '@hopwise/sqlite'
import { idempotent, idempotentRun } from '../../dist/index.js'

const [file, lease, slow] = process.argv.slice(2)
const app = express()
const store = sqliteStore({ database: new Libsql(file) })
app.post('/pay', idempotent({ store, scope: 'global', lease: Number(lease) }), (request, response) => {
  process.send('running')
  if (slow === undefined) response.json({ attempt: idempotentRun(request).attempt })
})
const server = app.listen(0, '127.0.0.1', () => process.send(server.address().port))
