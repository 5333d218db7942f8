// Node 20.19, 22.12 and newer load these ES modules by require().
const assert = require('node:assert/strict')
const { definePolicy } = require('@hopwise/core')
const { idempotent } = require('@hopwise/express')
const { sqliteStore } = require('@hopwise/sqlite')
const { storeContract } = require('@hopwise/testkit')

assert.equal(definePolicy({ chain: ['nginx'] }).server.keepAliveTimeout, 65_000)
assert.throws(() => idempotent({ stor: 1 }), /unknown option "stor"/)
assert.equal(typeof sqliteStore, 'function')
assert.equal(typeof storeContract, 'function')
console.log('CommonJS: require() gives the packages')
