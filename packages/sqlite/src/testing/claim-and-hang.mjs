// node claim-and-hang.mjs <path>: claims key 0, prints its claim, and never completes it.
import Database from 'libsql'
import { sqliteStore } from '../../dist/index.js'
import { requestFor } from './request.mjs'

const store = sqliteStore({ database: new Database(process.argv[2]) })
const request = requestFor(0)
const { fence } = await store.claim(request)
console.log(JSON.stringify({ key: request.key, owner: request.owner, fence }))
setInterval(() => {}, 60_000)
