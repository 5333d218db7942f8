import { describe, expect, test } from 'vitest'
import { duration, type DurationInput } from '../duration.js'
import { audit } from './audit.js'
import { edgesOf, outlasts, type Chain } from './chain.js'
import { customHop, type Hop } from './hop.js'
import { alb, haproxy, nginx, nodeServer } from './presets.js'

/** What each product does with the line that a fix holds. */
const products: readonly { readonly name: string; readonly line: RegExp; readonly apply: (hop: Hop, idle: string) => Hop }[] = [
  { name: 'alb', line: /^aws elbv2 modify-load-balancer-attributes --load-balancer-arn <arn> --attributes Key=idle_timeout\.timeout_seconds,Value=(\d+)$/, apply: (hop, idle) => both(hop, `${Number(idle)}s`) },
  { name: 'nginx', line: /^keepalive_timeout (\d+(?:ms|s|m|h|d));$/, apply: (hop, idle) => ({ ...hop, downstream: { idle: duration(idle as DurationInput) } }) },
  { name: 'nginx', line: /^upstream <name> \{ keepalive_timeout (\d+(?:ms|s|m|h|d)); \}$/, apply: (hop, idle) => ({ ...hop, upstream: { idle: duration(idle as DurationInput) } }) },
  { name: 'haproxy', line: /^timeout http-keep-alive (\d+(?:ms|s|m|h|d))$/, apply: (hop, idle) => ({ ...hop, downstream: { idle: duration(idle as DurationInput) } }) },
  { name: 'node', line: /^server\.keepAliveTimeout = (\d+)$/, apply: (hop, idle) => ({ ...hop, downstream: { idle: duration(Number(idle)) } }) },
]

function both(hop: Hop, idle: DurationInput): Hop {
  return { ...hop, downstream: { idle: duration(idle) }, upstream: { idle: duration(idle) } }
}

/** The chain after an operator did what `text`, one alternative of a fix, says. */
function applied(chain: Chain, text: string): Chain {
  const named = /^(?<name>\w+): (?<line>.*)$/.exec(text)?.groups
  const line = named?.['line'] ?? text
  for (const product of products) {
    const idle = product.line.exec(line)?.[1]
    if (idle === undefined) continue
    expect(named?.['name'] ?? product.name).toBe(product.name)
    return chain.map((hop) => (hop.name === product.name ? product.apply(hop, idle) : hop))
  }
  return expect.fail(`no product understands ${JSON.stringify(text)}`)
}

const margins = [0, 1, 500, 3_000, 60_000].map((ms) => duration(ms))
const idles: DurationInput[] = [1, 900, '1s', 1_500, '3s', '4s', 4_001, '5s', 5_999, '60s', '62s', '75s', '90s', '2m', '1h', 86_400_001]

describe('a fix that holds a setting', () => {
  const fronts = [alb, nginx] as const
  const backs = [alb, nginx, haproxy, nodeServer] as const

  test('of idle-inversion leaves a clean edge behind, whichever alternative is taken', () => {
    let tried = 0
    for (const front of fronts) {
      for (const back of backs) {
        if (front.name === back.name) continue
        for (const margin of margins) {
          for (const reused of idles) {
            for (const kept of idles) {
              const chain: Chain = [front({ upstream: { idle: reused } }), back({ downstream: { idle: kept } })]
              for (const { rule, fix } of audit(chain, margin)) {
                expect(rule).toBe('idle-inversion')
                for (const alternative of fix.split(', or ')) {
                  tried++
                  const left = audit(applied(chain, alternative), margin)
                  if (left.length > 0) expect.fail(`${reused} → ${kept}, margin ${margin}, after "${alternative}": ${left[0]?.what}`)
                }
              }
            }
          }
        }
      }
    }
    expect(tried).toBeGreaterThan(5_000)
  })

  test('of idle-unlimited leaves a clean edge behind', () => {
    let tried = 0
    for (const margin of margins) {
      for (const kept of idles) {
        const chain: Chain = [nginx({ upstream: { idle: 'unlimited' } }), nodeServer({ downstream: { idle: kept } })]
        const [finding] = audit(chain, margin)
        expect(finding?.rule).toBe('idle-unlimited')
        const fix = /^Give nginx a limit: (.*)$/.exec(finding?.fix ?? '')?.[1]
        // Without one, the server keeps connections for too short a time for any whole second to fit under it.
        if (fix === undefined) {
          expect(duration(kept)).toBeLessThanOrEqual(margin + 1_000)
          continue
        }
        tried++
        expect(audit(applied(chain, fix), margin)).toEqual([])
      }
    }
    expect(tried).toBeGreaterThan(30)
  })

  test('of flow-forgotten leaves a clean edge behind', () => {
    let tried = 0
    for (const margin of margins) {
      for (const idle of idles) {
        const chain: Chain = [nginx({ upstream: { idle: '20d' } }), customHop({ name: 'nlb', layer: 'tcp', downstream: { idle } }), nodeServer({ downstream: { idle: '21d' } })]
        const [finding] = audit(chain, margin)
        expect(finding?.rule).toBe('flow-forgotten')
        const fix = /^Raise the idle timeout of nlb, or: (.*)$/.exec(finding?.fix ?? '')?.[1]
        if (fix === undefined) {
          expect(finding?.fix).toBe('Raise the idle timeout of nlb.')
          expect(duration(idle)).toBeLessThanOrEqual(margin + 1_000)
          continue
        }
        tried++
        expect(audit(applied(chain, fix), margin)).toEqual([])
      }
    }
    expect(tried).toBeGreaterThan(30)
  })

  test('the other way of flow-forgotten, a longer flow, does it too', () => {
    const flow = customHop({ name: 'nlb', layer: 'tcp', downstream: { idle: 60_000 } })
    const chain: Chain = [nginx(), flow, nodeServer({ downstream: { idle: '65s' } })]
    expect(audit(chain, duration('3s')).map(({ rule }) => rule)).toEqual(['flow-forgotten'])
    expect(audit(chain.map((hop) => (hop === flow ? { ...flow, downstream: { idle: duration('350s') } } : hop)), duration('3s'))).toEqual([])
  })
})

test('the rule that the audit checks is the one that it promises: upstream idle + margin < downstream idle', () => {
  for (const margin of margins) {
    for (const reused of idles) {
      for (const kept of idles) {
        const chain: Chain = [nginx({ upstream: { idle: reused } }), nodeServer({ downstream: { idle: kept } })]
        const holds = duration(reused) + margin < duration(kept)
        expect(audit(chain, margin).length === 0).toBe(holds)
        expect(edgesOf(chain).every(({ from, to }) => outlasts(to.downstream.idle, from.upstream.idle, margin))).toBe(holds)
      }
    }
  }
})
