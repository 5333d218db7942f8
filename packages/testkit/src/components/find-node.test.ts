import { expect, test } from 'vitest'
import { findNode } from './find-node.js'

test('the running Node is found where its major fits', () => {
  expect(findNode(Number(process.versions.node.split('.')[0]))).toBe(process.execPath)
})

test('a Node that is not there is said with the command that fetches it', () => {
  expect(() => findNode(19)).toThrow('run `node scripts/set-up.mjs node-19` at the root')
})
