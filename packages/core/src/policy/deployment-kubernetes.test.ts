import { describe, expect, test } from 'vitest'
import { parseDocument } from 'yaml'
import { planDrain, type DrainOptions } from '../drain/plan.js'
import { duration } from '../duration.js'
import { derive } from './derive.js'
import { describeDeployment, type DeploymentOptions } from './deployment.js'

interface Probe {
  httpGet: { path: unknown; port: unknown }
  periodSeconds: number
  failureThreshold: number
}

interface PodSpec {
  terminationGracePeriodSeconds: number
  containers: { name: string; lifecycle?: { preStop: { sleep: { seconds: number } } }; readinessProbe: Probe; livenessProbe: Probe }[]
}

const text = (drain?: DrainOptions, options?: DeploymentOptions) =>
  describeDeployment(planDrain([], drain), derive([], duration('3s')), 'kubernetes', options)

/** What Kubernetes would read. Whatever the parser finds strange is a failure. */
function podSpec(yaml: string): PodSpec {
  const document = parseDocument(yaml, { strict: true, uniqueKeys: true })
  expect([...document.errors, ...document.warnings]).toEqual([])
  return document.toJS() as PodSpec
}

function container(yaml: string) {
  const [first, ...more] = podSpec(yaml).containers
  expect(more).toEqual([])
  return first ?? expect.fail('no container')
}

const announce = { mode: 'announce-first' } as const

describe('the wait before SIGTERM and the grace', () => {
  test.each<[string, DrainOptions, DeploymentOptions, number | undefined, number]>([
    ['a server that refuses waits first', {}, {}, 5, 41],
    ['for as long as was said', {}, { propagation: '12s' }, 12, 48],
    ['in whole seconds, rounded up', {}, { propagation: '2500ms' }, 3, 39],
    ['not at all where nobody has to hear of it', {}, { propagation: 0 }, undefined, 36],
    ['announcing is the wait', announce, {}, undefined, 36],
    ['announcing is longer than the wait', { ...announce, announceFor: '10s' }, {}, undefined, 36],
    ['announcing is shorter: the difference is added', { ...announce, announceFor: '2s' }, {}, 3, 39],
    ['the difference is rounded up', { ...announce, announceFor: '1200ms' }, {}, 4, 40],
    ['no announcing at all', { ...announce, announceFor: 0 }, {}, 5, 41],
    ['announceFor is nothing to a server that refuses', { announceFor: '1m', deadline: '30s' }, {}, 5, 46],
    ['a short deadline', { deadline: '100ms' }, { propagation: 0, hooks: 0 }, undefined, 2],
    ['a long deadline', { ...announce, deadline: '1h' }, { hooks: '1m' }, undefined, 3_661],
    ['the grace is rounded up as a whole', { deadline: 9_100 }, { hooks: 400 }, 5, 16],
  ])('%s', (_what, drain, options, preStop, grace) => {
    const yaml = text(drain, options)
    expect(container(yaml).lifecycle?.preStop.sleep.seconds).toBe(preStop)
    expect(podSpec(yaml).terminationGracePeriodSeconds).toBe(grace)
  })

  test.each<DrainOptions>([{}, announce, { ...announce, announceFor: '1s' }, { deadline: 1_234 }, { ...announce, announceFor: 777, deadline: '1h' }])(
    'the grace holds wait, hooks and deadline, and less than two seconds more: %j',
    (drain) => {
      for (const propagation of [0, 1, 999, 5_000, 300_000]) {
        const yaml = text(drain, { propagation, hooks: 3_210 })
        const preStop = container(yaml).lifecycle?.preStop.sleep.seconds ?? 0
        const plan = planDrain([], drain)
        const grace = podSpec(yaml).terminationGracePeriodSeconds * 1_000
        expect(grace - preStop * 1_000 - 3_210 - plan.deadline).toBeGreaterThanOrEqual(1_000)
        expect(grace - preStop * 1_000 - 3_210 - plan.deadline).toBeLessThan(2_000)
        expect(preStop * 1_000 + (plan.mode === 'announce-first' ? plan.announceFor : 0)).toBeGreaterThanOrEqual(propagation)
      }
    },
  )

  test('the comments have the arithmetic', () => {
    expect(text()).toContain('# 5 s preStop + 10 s hooks + 25 s deadline + 1 s = 41 s\nterminationGracePeriodSeconds: 41\n')
    expect(text()).toContain('exec: { command: [sleep, "5"] }')
    expect(text(announce)).toContain('# 10 s hooks + 25 s deadline + 1 s = 36 s\n')
    expect(text(announce)).toContain('# No preStop: 5 s of announcing last for the 5 s propagation')
    expect(text({}, { propagation: 0 })).toContain('# No preStop: 0 s propagation')
    expect(text({ ...announce, announceFor: '1.2s' })).toContain('5 s propagation - 1.2 s of announcing, rounded up.')
    expect(text({ deadline: 9_100 }, { propagation: 0 })).toContain('# 10 s hooks + 9.1 s deadline + 1 s = 20.1 s, rounded up\nterminationGracePeriodSeconds: 21\n')
  })
})

describe('the probes', () => {
  test('have defaults', () => {
    expect(container(text())).toMatchObject({
      readinessProbe: { httpGet: { path: '/readyz', port: 'http' }, periodSeconds: 2, failureThreshold: 2 },
      livenessProbe: { httpGet: { path: '/livez', port: 'http' }, periodSeconds: 10, failureThreshold: 3 },
    })
  })

  test.each<[string | number, string, string]>([
    [8080, '/health/ready', '/health/live'],
    // What YAML would take for something else, or for its own signs, stays what it is.
    ['no', '/a#b', '/:"x"'],
    ['null', '/%20\\', '/{}?a=[1]&*b'],
    ['1e3', '/', '/\'q\''],
    ['a-1-b', '/x', '/y'],
  ])('ask where they are told to: %j %j %j', (port, readinessPath, livenessPath) => {
    const { readinessProbe, livenessProbe } = container(text({}, { port, readinessPath, livenessPath }))
    expect(readinessProbe.httpGet).toEqual({ path: readinessPath, port })
    expect(livenessProbe.httpGet).toEqual({ path: livenessPath, port })
  })

  test('leave the quiet window that announce-first looks for', () => {
    expect(container(text({ ...announce, quietWindow: '2s' })).readinessProbe.periodSeconds).toBe(3)
    expect(container(text({ ...announce, quietWindow: 3_900 })).readinessProbe.periodSeconds).toBe(4)
    expect(container(text({ quietWindow: '60s' })).readinessProbe.periodSeconds).toBe(2)
  })
})

test.each<[unknown, string]>([
  [{ propagation: '6m' }, 'option "propagation" is "6m"'],
  [{ port: 0 }, 'option "port" is 0'],
  [{ port: 65_536 }, 'option "port" is 65536'],
  [{ port: 80.5 }, 'option "port" is 80.5'],
  [{ port: '8080' }, 'option "port" is "8080"; allowed: a port name (1 to 15 of a-z, 0-9 and -), or a number from 1 to 65535'],
  [{ port: 'a--b' }, 'option "port" is "a--b"'],
  [{ port: '-a' }, 'option "port" is "-a"'],
  [{ port: 'sixteen-letters-' }, 'option "port"'],
  [{ port: 'http\n' }, 'option "port"'],
  [{ port: '' }, 'option "port" is ""'],
  [{ readinessPath: 'readyz' }, 'option "readinessPath" is "readyz"; allowed: a path'],
  [{ livenessPath: '/live z' }, 'option "livenessPath" is "/live z"'],
  [{ livenessPath: '/livez\n' }, 'option "livenessPath"'],
])('refuses %j', (options, message) => {
  expect(() => text({}, options as DeploymentOptions)).toThrow(
    expect.objectContaining({ code: 'option-invalid', message: expect.stringContaining(`deployment of kubernetes: ${message}`) as string }),
  )
})
