import { describe, expect, test } from 'vitest'
import type { AdapterContract } from './contract.js'
import { installed } from './installed.js'
import type { ContractRow } from './row.js'
import { testAdapterContract } from './test-contract.js'

interface Registered {
  readonly name: string
  readonly result: 'passed' | 'skipped' | 'failed'
  readonly reason?: string | undefined
}

/** A contract of two cases and a skipped one, run by a runner that leaves some of them out. */
async function runWith(leftOut: readonly string[], meta?: object): Promise<Registered[]> {
  let passed = 0
  let failed = 0
  const skipped = [{ name: 'mine: third', reason: 'it cannot' }]
  const contract: AdapterContract = {
    cases: [
      { name: 'mine: first', run: async () => void passed++ },
      { name: 'mine: second', run: async () => { failed++; throw new Error('wrong') } },
    ],
    skipped,
    row: (): ContractRow => ({ adapter: 'mine', framework: 'mine', runtime: 'here', declared: 3, passed, failed, skipped: [{ case: 'third', reason: 'it cannot' }] }),
  }
  const tests: [string, Parameters<Parameters<typeof testAdapterContract>[1]>[1]][] = []
  testAdapterContract(contract, (name, body) => tests.push([name, body]))
  const results: Registered[] = []
  for (const [name, body] of tests.filter(([one]) => !leftOut.includes(one))) {
    let skippedFor: string | undefined
    try {
      await body({ skip: (reason) => void (skippedFor = reason), ...(meta !== undefined && { task: { meta } }) })
      results.push(skippedFor === undefined ? { name, result: 'passed' } : { name, result: 'skipped', reason: skippedFor })
    } catch (error) {
      results.push({ name, result: 'failed', reason: (error as Error).message })
    }
  }
  return results
}

const last = 'mine on here: all of 3 cases ran or are skipped for a reason'

describe('testAdapterContract', () => {
  test('registers each case, the skipped ones with their reasons, and last the count', async () => {
    const meta = {}
    expect(await runWith([], meta)).toEqual([
      { name: 'mine: first', result: 'passed' },
      { name: 'mine: second', result: 'failed', reason: 'wrong' },
      { name: 'mine: third', result: 'skipped', reason: 'it cannot' },
      { name: last, result: 'passed' },
    ])
    expect(meta).toEqual({ contract: expect.objectContaining({ declared: 3, passed: 1, failed: 1 }) })
  })

  test('a case that did not run is missed by the last test', async () => {
    expect((await runWith(['mine: first'])).at(-1)).toEqual({
      name: last,
      result: 'failed',
      reason: 'of 3 declared cases, 1 ran and 1 are skipped for a reason: 1 were left out',
    })
  })
})

test('installed() names what a file could import, and says what it could not', () => {
  expect(installed('@hopwise/core', import.meta.url)).toMatch(/^@hopwise\/core \d+\.\d+\.\d+$/)
  expect(() => installed('no-such-package', import.meta.url)).toThrow('the package no-such-package is not installed')
})
