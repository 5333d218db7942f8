import { describe, expect, test } from 'vitest'
import { createTraceContext } from '../trace/index.js'
import { createRequestIds, type RejectReason, type RequestIdOptions } from './resolve.js'

const resolver = (options: RequestIdOptions = {}) => createRequestIds({ generate: () => 'generated', ...options })
const none = { repeated: 0, 'too-short': 0, 'too-long': 0, 'bad-character': 0 }

describe('a valid id', () => {
  test.each(['abcdefgh', 'A'.repeat(128), '0af7651916cd43dd8448eb211c80319c', 'Root=1-67891233/abc+def~x@y:z_.', '--------'])('%s is taken where it is trusted', (id) => {
    expect(resolver({ trust: true }).resolve([id])).toEqual({ id, origin: 'request' })
  })

  test('is kept apart as the client\'s where it is not trusted, which is the default', () => {
    expect(resolver().resolve(['client-id-1'])).toEqual({ id: 'generated', origin: 'new', clientId: 'client-id-1' })
    expect(resolver({ trust: false }).resolve(['client-id-1'])).toEqual({ id: 'generated', origin: 'new', clientId: 'client-id-1' })
  })

  test('is not counted as rejected', () => {
    const ids = resolver()
    ids.resolve(['client-id-1'])
    ids.resolve([])
    expect(ids.rejections()).toEqual(none)
  })
})

test('without a field a new id is made, and nothing else is said', () => {
  expect(resolver({ trust: true }).resolve([])).toEqual({ id: 'generated', origin: 'new' })
})

describe('what is not an id', () => {
  const wrong: [string, string[], RejectReason][] = [
    ['an empty field', [''], 'too-short'],
    ['7 characters', ['abcdefg'], 'too-short'],
    ['129 characters', ['a'.repeat(129)], 'too-long'],
    ['a megabyte', ['a'.repeat(2 ** 20)], 'too-long'],
    ['129 characters, all of them wrong', ['é'.repeat(129)], 'too-long'],
    ['two fields', ['client-id-1', 'client-id-2'], 'repeated'],
    ['the same field twice', ['client-id-1', 'client-id-1'], 'repeated'],
    ['two fields, the first one empty', ['', 'client-id-1'], 'repeated'],
    ['two fields in one line', ['client-id-1, client-id-2'], 'bad-character'],
    ['a line feed', ['client\nid-1'], 'bad-character'],
    ['a line feed at the end', ['client-id-1\n'], 'bad-character'],
    ['a carriage return', ['client-id\r'], 'bad-character'],
    ['a tab', ['client\tid'], 'bad-character'],
    ['a NUL', ['client-id\0'], 'bad-character'],
    ['an escape sequence', ['\u001b[31mclient'], 'bad-character'],
    ['DEL', ['client-id\u007f'], 'bad-character'],
    ['a space', ['client id'], 'bad-character'],
    ['seven characters, one of them wrong', ['abc def'], 'bad-character'],
    ['a letter beyond ASCII', ['clïent-id'], 'bad-character'],
    ['a full-width letter', ['ｃlient-id'], 'bad-character'],
    ...[...'"\'<>&%$#!?*()[]{}|\\^`,;'].map((char): [string, string[], RejectReason] => [`the character ${char}`, [`client-${char}-id`], 'bad-character']),
  ]

  test.each(wrong)('%s: %j is rejected as %s, trusted or not', (_what, values, reason) => {
    for (const trust of [true, false]) {
      const ids = resolver({ trust })
      expect(ids.resolve(values)).toEqual({ id: 'generated', origin: 'new', rejected: reason })
      expect(ids.rejections()).toEqual({ ...none, [reason]: 1 })
    }
  })

  test('is counted by reason, and told with the count and without the value', () => {
    const ids = resolver()
    const told: unknown[] = []
    const end = ids.on('rejected', (event) => told.push(event))
    ids.resolve(['short'])
    ids.resolve(['secret value'])
    ids.resolve(['short'])
    expect(told).toEqual([
      { reason: 'too-short', count: 1 },
      { reason: 'bad-character', count: 1 },
      { reason: 'too-short', count: 2 },
    ])
    end()
    ids.resolve(['short'])
    expect(told).toHaveLength(3)
    expect(ids.rejections()).toEqual({ ...none, 'too-short': 3, 'bad-character': 1 })
  })

  test('the counts that are given out cannot be changed from outside', () => {
    const ids = resolver()
    Object.assign(ids.rejections(), { repeated: 99 })
    expect(ids.rejections()).toEqual(none)
  })
})

describe('options', () => {
  test('the field\'s name is x-request-id, or another one in lower case', () => {
    expect(createRequestIds().header).toBe('x-request-id')
    expect(createRequestIds({ header: 'X-Correlation-ID' }).header).toBe('x-correlation-id')
  })

  test('without a generator, ids are UUIDs of version 7', () => {
    const ids = createRequestIds()
    const [a, b] = [ids.resolve([]).id, ids.resolve([]).id]
    expect(a).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/)
    expect(b > a).toBe(true)
  })

  test.each<[unknown, string]>([
    [{ header: 'x request id' }, 'requestId: option "header" is "x request id"; allowed: a field name'],
    [{ trust: 'yes' }, 'requestId: option "trust" is "yes"; allowed: true or false'],
    [{ generate: 'uuid' }, 'requestId: option "generate" is "uuid"; allowed: a function that gives an id'],
    [{ query: 'rid' }, 'requestId: unknown option "query"; allowed: header, trust, generate, trace'],
    [{ trace: true }, 'requestId: option "trace" is true; allowed: createTraceContext()'],
  ])('refuses %j', (options, message) => {
    expect(() => createRequestIds(options as RequestIdOptions)).toThrow(message)
  })
})

test('with a trace context, a request has both, and the fields are read once each', () => {
  const asked: string[] = []
  const ids = resolver({ trust: true, trace: createTraceContext() })
  const fields: Record<string, string[]> = { 'x-request-id': ['edge-id-1'], traceparent: ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'] }
  const opened = ids.open((name) => {
    asked.push(name)
    return fields[name] ?? []
  })
  expect(opened).toMatchObject({ requestId: { id: 'edge-id-1', origin: 'request' }, trace: { traceId: '0af7651916cd43dd8448eb211c80319c', parentId: 'b7ad6b7169203331', flags: 1 } })
  expect(asked).toEqual([...new Set(asked)])
  expect(resolver().open(() => [])).toEqual({ requestId: { id: 'generated', origin: 'new' } })
})
