// node claim-keys.mjs <path> <count>: opens the store, says "ready", and on a line from stdin claims the keys 0 to
// count - 1, one after another. Prints what came of each, as one JSON list.
import Database from 'libsql'
import { once } from 'node:events'
import { sqliteStore } from '../../dist/index.js'
import { requestFor } from './request.mjs'

const [path, count] = process.argv.slice(2)
const store = sqliteStore({ database: new Database(path), busyTimeout: '20s' })
console.log('ready')
await once(process.stdin, 'data')
const kinds = []
for (let index = 0; index < Number(count); index++) kinds.push((await store.claim(requestFor(index))).kind)
console.log(JSON.stringify(kinds))
process.exit()
