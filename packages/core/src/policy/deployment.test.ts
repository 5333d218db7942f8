import { readFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { planDrain, type DrainOptions } from '../drain/plan.js'
import { duration } from '../duration.js'
import { derive, type ServerOverrides } from './derive.js'
import { describeDeployment, type DeploymentKind, type DeploymentOptions } from './deployment.js'
import { definePolicy } from './policy.js'

const kinds = ['kubernetes', 'systemd', 'pm2'] as const
const describeWith = (kind: DeploymentKind, drain?: DrainOptions, options?: DeploymentOptions, server?: ServerOverrides) =>
  describeDeployment(planDrain([], drain), derive([], duration('3s'), server), kind, options)

/** The assignments of a unit file, as systemd.syntax(7) has them; any other line is a failure. */
function unit(text: string): Record<string, string> {
  const [section, ...lines] = text.trimEnd().split('\n').filter((line) => !line.startsWith('#'))
  expect(section).toBe('[Service]')
  return Object.fromEntries(lines.map((line) => {
    const [, name, value] = /^([A-Za-z]+)=(.+)$/.exec(line) ?? expect.fail(`no assignment: ${line}`)
    return [name, value] as [string, string]
  }))
}

/** What PM2 would load. */
function ecosystem(text: string): unknown {
  const module: { exports: unknown } = { exports: undefined }
  runInNewContext(text, { module }, { filename: 'ecosystem.config.cjs' })
  // From a realm of its own: as plain data.
  return JSON.parse(JSON.stringify(module.exports))
}

describe('systemd and PM2', () => {
  test.each<[string, DrainOptions, DeploymentOptions, number]>([
    ['the defaults', {}, {}, 36],
    ['announcing is part of the deadline', { mode: 'announce-first' }, {}, 36],
    ['the hooks', {}, { hooks: '30s' }, 56],
    ['no hooks', {}, { hooks: 0 }, 26],
    ['a short deadline, rounded up', { deadline: '100ms' }, { hooks: 0 }, 2],
    ['a long deadline', { mode: 'announce-first', deadline: '1h' }, {}, 3_611],
  ])('wait for as long as a stop may take: %s', (_what, drain, options, seconds) => {
    expect(unit(describeWith('systemd', drain, options))).toEqual({
      TimeoutStopSec: `${seconds}`,
      KillSignal: 'SIGTERM',
      KillMode: 'mixed',
      SuccessExitStatus: '143',
      Restart: 'on-failure',
    })
    expect(ecosystem(describeWith('pm2', drain, options))).toEqual({
      apps: [{ name: 'app', script: './server.js', kill_timeout: seconds * 1_000, treekill: false, wait_ready: true, listen_timeout: 10_000 }],
    })
  })

  test('the comments have the arithmetic', () => {
    expect(describeWith('systemd')).toContain('# 10 s hooks + 25 s deadline + 1 s = 36 s\nTimeoutStopSec=36\n')
    expect(describeWith('pm2', { deadline: 9_100 })).toContain("// 10 s hooks + 9.1 s deadline + 1 s = 20.1 s, rounded up (PM2's default: 1600 ms)\n    kill_timeout: 21000,\n")
  })
})

describe.each(kinds)('the longest request, for %s', (kind) => {
  const announce = { mode: 'announce-first' } as const

  test.each<[DrainOptions, DeploymentOptions['longestRequest'], string]>([
    [announce, '10s', 'longest request 10 s fits: 25 s - 5 s - 0.5 s = 19.5 s'],
    [announce, 19_500, 'longest request 19.5 s fits: 25 s - 5 s - 0.5 s = 19.5 s'],
    [announce, '10s', 'if it comes before the listener closes; 9.75 s where new connections never pause for 0.5 s'],
    [announce, undefined, 'a request has 25 s - 5 s - 0.5 s = 19.5 s (deadline - announceFor - quietWindow),'],
    [{}, '25s', 'longest request 25 s fits: 25 s (deadline), if it is running when the drain begins'],
    [{}, undefined, 'a request has 25 s (deadline), if'],
    [{ ...announce, deadline: '2m', announceFor: '30s', quietWindow: 0 }, '1m', 'longest request 60 s fits: 120 s - 30 s - 0 s = 90 s'],
  ])('%j, %j: says "%s"', (drain, longestRequest, line) => {
    expect(describeWith(kind, drain, longestRequest === undefined ? {} : { longestRequest })).toContain(line)
  })

  test('says nothing of the worst where it fits even so', () => {
    expect(describeWith(kind, announce, { longestRequest: 9_750 })).not.toContain('never pause')
  })

  test.each<[DrainOptions, DeploymentOptions['longestRequest'], string]>([
    [announce, 19_501, '"longestRequest" is 19.501 s; allowed: at most 25 s - 5 s - 0.5 s = 19.5 s (deadline - announceFor - quietWindow). Raise the drain\'s deadline to 25.001 s, or shorten announceFor'],
    [{}, '30s', '"longestRequest" is 30 s; allowed: at most 25 s (deadline). Raise the drain\'s deadline to 30 s'],
    [{ deadline: '100ms' }, '1s', '"longestRequest" is 1 s; allowed: at most 0.1 s (deadline)'],
  ])('%j, %j: refuses', (drain, longestRequest, message) => {
    const refusal = expect.objectContaining({ name: 'HopwiseError', code: 'option-invalid', message: expect.stringContaining(message) as string })
    expect(() => describeWith(kind, drain, longestRequest === undefined ? {} : { longestRequest })).toThrow(refusal)
  })

  test('what the message asks for is enough', () => {
    expect(describeWith(kind, { ...announce, deadline: 25_001 }, { longestRequest: 19_501 })).toContain('fits: 25.001 s - 5 s - 0.5 s = 19.501 s')
  })

  test('tells that a request may take longer than that to arrive', () => {
    expect(describeWith(kind)).toContain('requestTimeout gives it 300 s to arrive')
    expect(describeWith(kind, { deadline: '5m' })).not.toContain('requestTimeout')
    expect(describeWith(kind, {}, {}, { requestTimeout: '20s' })).not.toContain('requestTimeout')
  })
})

test.each<[string, unknown, string, string]>([
  ['docker', {}, 'option-invalid', 'deployment: the kind is "docker"; allowed: kubernetes, systemd, pm2'],
  [undefined as never, {}, 'option-invalid', 'deployment: the kind is undefined'],
  ['kubernetes', { grace: '30s' }, 'option-unknown', 'deployment of kubernetes: unknown option "grace"; allowed: hooks, longestRequest, propagation, port, readinessPath, livenessPath'],
  ['systemd', { propagation: '5s' }, 'option-unknown', 'deployment of systemd: unknown option "propagation"; allowed: hooks, longestRequest'],
  ['pm2', { port: 80 }, 'option-unknown', 'deployment of pm2: unknown option "port"; allowed: hooks, longestRequest'],
  ['pm2', { hooks: '61m' }, 'option-invalid', 'deployment of pm2: option "hooks" is "61m"'],
  ['systemd', { longestRequest: '10' }, 'option-invalid', 'deployment of systemd: option "longestRequest" is "10"'],
])('refuses %s with %j', (kind, options, code, message) => {
  expect(() => describeWith(kind as DeploymentKind, {}, options as DeploymentOptions)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(message) as string }),
  )
})

test.each(kinds)("the README's output for %s is what is printed", (kind) => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const section = /\n### Deployment\n[^]*?(?=\n##)/.exec(readme)?.[0] ?? expect.fail('no such section')
  const { drain, server } = definePolicy()
  const language = { kubernetes: 'yaml', systemd: 'ini', pm2: 'js' }[kind]
  expect(section).toContain(`\`\`\`${language}\n${describeDeployment(drain, server, kind)}\`\`\`\n`)
})
