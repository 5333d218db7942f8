import { describe, expect, test } from 'vitest'
import { canonicalJson, jsonFingerprint } from './json-fingerprint.js'
import { bench, created, incoming } from './testing/engine-bench.js'

describe('canonicalJson', () => {
  test.each([
    ['{"b":1,"a":2}', '{"a":2,"b":1}'],
    [' { "b" : [ 1 , { "d":null,"c":true } ] , "a" : "x" } ', '{"a":"x","b":[1,{"c":true,"d":null}]}'],
    ['9007199254740993', '9007199254740993'],
    ['[1.0,1,1e2,-0,0.10]', '[1.0,1,1e2,-0,0.10]'],
    ['"\\u0041\\/\\n"', '"A/\\n"'],
    ['{"\\u0061":1}', '{"a":1}'],
    ['{"10":1,"9":2,"__proto__":3}', '{"10":1,"9":2,"__proto__":3}'],
    ['{}', '{}'],
    ['[ ]', '[]'],
    ['{"é":1,"z":2}', '{"z":2,"é":1}'],
  ])('%s → %s', (text, canonical) => {
    expect(canonicalJson(text)).toBe(canonical)
  })

  test.each(['', '{', '{"a":1,}', '[1,]', "{'a':1}", '01', '+1', '.5', 'NaN', '{"a":1}x', '"\u0001"', '{"a":1,"a":2}', '{"a":1,"\\u0061":2}', 'undefined', '[1 2]', '{"a" 1}', '"\\x"', `${'['.repeat(200)}${']'.repeat(200)}`])(
    'is not sure of %j',
    (text) => {
      expect(canonicalJson(text)).toBeUndefined()
    },
  )

  test('agrees with JSON.parse on what is JSON, for texts made by chance', () => {
    // A small generator with a fixed seed, so that a failure comes again.
    let seed = 7
    const next = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff
      return seed % below
    }
    const pieces = ['{', '}', '[', ']', ',', ':', '"a"', '"b"', '1', '-2.5', 'true', 'null', ' ', '"\\n"']
    let valid = 0
    for (let round = 0; round < 20_000; round++) {
      const text = Array.from({ length: 1 + next(7) }, () => pieces[next(pieces.length)]).join('')
      let parsed: unknown
      try {
        parsed = JSON.parse(text)
        valid++
      } catch {
        expect(canonicalJson(text), text).toBeUndefined()
        continue
      }
      const canonical = canonicalJson(text)
      // A name twice is JSON for JSON.parse, and ambiguous for us.
      if (canonical !== undefined) expect(JSON.parse(canonical), text).toEqual(parsed)
      else expect(text).toMatch(/"a".*"a"|"b".*"b"|"\\n".*"\\n"/)
    }
    expect(valid).toBeGreaterThan(300)
  })
})

describe('jsonFingerprint', () => {
  const outcome = async (first: string, second: string, type = 'application/json') => {
    const { run, engine } = bench({ fingerprint: jsonFingerprint() })
    await (await run(incoming({ text: first, type }))).settle(created)
    const decision = await engine.begin(incoming({ text: second, type }))
    return decision.kind === 'reply' ? decision.response.status : decision.kind
  }
  test.each([
    ['names in another order', '{"a":1,"b":2}', '{"b":2, "a":1}', 201],
    ['a number beyond 2^53 that differs in its last digit', '{"n":9007199254740993}', '{"n":9007199254740992}', 422],
    ['a number written otherwise', '{"n":1.0}', '{"n":1}', 422],
    ['an array in another order', '[1,2]', '[2,1]', 422],
    ['text that is not JSON, changed by a space', '{a}', '{a }', 422],
  ])('%s', async (_what, first, second, status) => {
    expect(await outcome(first, second)).toBe(status)
  })
  test('bytes that are not UTF-8 are compared as they are, and so is a byte order mark', async () => {
    const json = (...value: number[]) => Uint8Array.of(...new TextEncoder().encode('{"a":"'), ...value, ...new TextEncoder().encode('"}'))
    const bodies = [json(0xff), json(0xfe), json(0xef, 0xbf, 0xbd), json(0x41), Uint8Array.of(0xef, 0xbb, 0xbf, ...json(0x41))]
    const prints = await Promise.all(bodies.map((body) => jsonFingerprint()(incoming(), body)))
    expect(new Set(prints).size).toBe(bodies.length)
  })
  test('a string of 16 million characters is no problem', () => {
    const long = `"${'a'.repeat(2 ** 24)}"`
    expect(canonicalJson(`[ ${long} ]`) === `[${long}]`).toBe(true)
  })
  test('a JSON suffix counts as JSON, another type does not', async () => {
    expect(await outcome('{"a":1,"b":2}', '{"b":2,"a":1}', 'application/vnd.api+json; charset=utf-8')).toBe(201)
    expect(await outcome('{"a":1,"b":2}', '{"b":2,"a":1}', 'text/plain')).toBe(422)
  })
})

test('a fingerprint of one\'s own decides alone', async () => {
  const { run, reply } = bench({ fingerprint: (_incoming, body) => String(body.length) })
  await (await run(incoming({ text: 'aaa' }))).settle(created)
  expect((await reply(incoming({ text: 'bbb' }))).status).toBe(201)
  expect((await reply(incoming({ text: 'cccc' }))).status).toBe(422)
})
