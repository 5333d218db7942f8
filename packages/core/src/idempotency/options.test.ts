import { describe, expect, test } from 'vitest'
import { memoryStore } from './memory-store.js'
import { readIdempotencyOptions, type IdempotencyOptions } from './options.js'

const store = memoryStore()
const principal = () => 'alice'
const refused = (message: string) => expect.objectContaining({ name: 'HopwiseError', code: 'option-invalid', message: expect.stringContaining(message) as string })
const read = (options: unknown) => readIdempotencyOptions(options as IdempotencyOptions<unknown>)

describe('readIdempotencyOptions', () => {
  test('has the defaults of the design', () => {
    expect(read({ store, principal })).toEqual({
      store,
      principal,
      scope: 'principal',
      required: true,
      methods: new Set(['POST', 'PATCH']),
      header: 'idempotency-key',
      lease: 30_000,
      maxRun: 900_000,
      retention: 86_400_000,
      onCrash: 'retry',
      maxRequestBytes: 1_048_576,
      maxResponseBytes: 1_048_576,
      storeDeadline: 500,
      onConflict: 'refuse',
      waitAtMost: 10_000,
      onStoreError: 'refuse',
      neverReplay: new Set(),
    })
  })

  test('methods are compared in upper case, field names in lower case', () => {
    const settings = read({ store, principal, methods: ['put', 'Post'], header: 'X-Idempotency-Key', neverReplay: ['X-Session'] })
    expect([settings.methods, settings.header, settings.neverReplay]).toEqual([new Set(['PUT', 'POST']), 'x-idempotency-key', new Set(['x-session'])])
  })

  test('who the callers are has to be said', () => {
    expect(() => read({ store })).toThrow(refused('idempotent: option "principal" is required: a function that gives the caller\'s id'))
    expect(() => read({ store })).toThrow(refused('or scope: "global" where all callers are one, not both'))
    expect(() => read({ store, scope: 'principal' })).toThrow(refused('option "principal" is required'))
    expect(() => read({ store, scope: 'global', principal })).toThrow(refused('idempotent: option "principal" is required: a function that gives the caller\'s id, or scope: "global" where all callers are one, not both'))
    expect(read({ store, scope: 'global' }).principal).toBeUndefined()
  })

  test.each(['retry', 'reject', () => 'retry', async () => 'reject'])('onCrash may be %o', (onCrash) => {
    expect(read({ store, principal, onCrash }).onCrash).toBe(onCrash)
  })

  test.each<[Record<string, unknown>, string]>([
    [{ store: undefined }, 'option "store" is required: an idempotency store, such as memoryStore()'],
    [{ store: null }, 'option "store" is null'],
    [{ store: new Map() }, 'option "store" is an object; allowed: an idempotency store'],
    [{ store: { ...store, renew: undefined } }, 'option "store" is an object'],
    [{ principal: 'alice' }, 'option "principal" is "alice"; allowed: a function that gives the caller\'s id'],
    [{ scope: 'tenant' }, 'option "scope" is "tenant"; allowed: "principal" or "global"'],
    [{ required: 1 }, 'option "required" is 1; allowed: true or false'],
    [{ methods: 'POST' }, 'option "methods" is "POST"; allowed: a list of methods, not empty'],
    [{ methods: [] }, 'option "methods" is an array; allowed: a list of methods, not empty'],
    [{ methods: ['PO ST'] }, 'option "methods" is an array'],
    [{ methods: [7] }, 'option "methods" is an array'],
    [{ header: 'idempotency key' }, 'option "header" is "idempotency key"; allowed: a field name'],
    [{ lease: '99ms' }, 'option "lease" is "99ms"'],
    [{ lease: '61m' }, 'option "lease" is "61m"'],
    [{ lease: '30' }, 'option "lease" is "30"'],
    [{ maxRun: '999ms' }, 'option "maxRun" is "999ms"'],
    [{ maxRun: '25h' }, 'option "maxRun" is "25h"'],
    [{ retention: '999ms' }, 'option "retention" is "999ms"'],
    [{ retention: '366d' }, 'option "retention" is "366d"'],
    [{ onCrash: 'ignore' }, 'option "onCrash" is "ignore"; allowed: "retry", "reject" or a function that gives one'],
    [{ maxRequestBytes: -1 }, 'option "maxRequestBytes" is -1; allowed: a whole number from 0 to 1073741824'],
    [{ maxRequestBytes: 1.5 }, 'option "maxRequestBytes" is 1.5'],
    [{ maxResponseBytes: 2 ** 30 + 1 }, 'option "maxResponseBytes" is 1073741825'],
    [{ storeDeadline: '9ms' }, 'option "storeDeadline" is "9ms"'],
    [{ storeDeadline: Infinity }, 'option "storeDeadline" is Infinity'],
    [{ onStoreError: 'ignore' }, 'option "onStoreError" is "ignore"; allowed: "refuse" or "proceed"'],
    [{ neverReplay: ['x session'] }, 'option "neverReplay" is an array; allowed: a list of field names'],
  ])('refuses %j', (wrong, message) => {
    expect(() => read({ store, principal, ...wrong })).toThrow(refused(`idempotent: ${message}`))
  })

  test('names an unknown option and those that are allowed', () => {
    expect(() => read({ store, principal, ttl: '1d' })).toThrow(
      expect.objectContaining({
        code: 'option-unknown',
        message: 'idempotent: unknown option "ttl"; allowed: store, principal, scope, required, methods, header, lease, maxRun, retention, onCrash, maxRequestBytes, maxResponseBytes, storeDeadline, fingerprint, onConflict, waitAtMost, seal, onStoreError, neverReplay',
      }),
    )
  })
})
