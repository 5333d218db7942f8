import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findBinary, MissingComponent } from './find-binary.js'
import { freePort } from './free-port.js'
import { comesUp, endChild } from './server-child.js'

/** One virtual server of a private HAProxy, in front of one set of instances. */
export interface HaproxySite {
  /** A name of letters, for the backend. */
  readonly name: string
  /** The ports of the instances on 127.0.0.1. */
  readonly upstreamPorts: readonly number[]
  /** What the health checks ask for, e.g. `/ready`. */
  readonly healthPath: string
  /** The instances speak TLS; their certificates are not looked at. [false] */
  readonly upstreamTls?: boolean
}

/** A private HAProxy that runs. */
export interface Haproxy {
  /** E.g. `2.6.12`. */
  readonly version: string
  /** The port of each site, by its name. */
  readonly ports: Readonly<Record<string, number>>
  /** What its log says so far of errors and of instances that came and went; good requests are not in it. */
  errors(): Promise<string[]>
  /** How many instances of a site are in rotation at this moment. */
  up(name: string): Promise<number>
  /** Ends it by its own handle and removes its folder. */
  stop(): Promise<void>
}

/**
 * Starts a HAProxy of its own: own folder, free ports on 127.0.0.1, in the foreground as a child of this process.
 * Health checks every 300 ms, two bad ones take an instance out of rotation and a good one takes it back; a check has 5 s,
 * so that a busy machine does not take out what is well. A connection that is refused is tried again elsewhere
 * (`retries 3`, `option redispatch`), and idle connections to instances are shared (`http-reuse safe`).
 * @param binary the HAProxy to run, if not the one that is installed
 * @throws MissingComponent where HAProxy is not installed
 */
export async function startHaproxy(sites: readonly HaproxySite[], binary: string | undefined = findBinary('haproxy')): Promise<Haproxy> {
  if (binary === undefined) throw new MissingComponent('haproxy')
  const version = /version ([\d.]+)/i.exec(spawnSync(binary, ['-v'], { encoding: 'utf8' }).stdout ?? '')?.[1]
  if (version === undefined) throw new Error(`${binary} is not a HAProxy that runs`)
  // The free port may be gone by the time HAProxy binds it: then all are chosen anew.
  for (let triesLeft = 5; ; triesLeft--) {
    const started = await tryStart(binary, sites)
    if (started.kind === 'running') return { version, ...started.haproxy }
    if (!started.portInUse || triesLeft === 0) throw new Error(`HAProxy did not start: ${started.log}`)
  }
}

async function tryStart(binary: string, sites: readonly HaproxySite[]) {
  const folder = await mkdtemp(join(tmpdir(), 'hopwise-haproxy-'))
  const ports: Record<string, number> = {}
  for (const { name } of sites) ports[name] = await freePort()
  const admin = join(folder, 'admin.sock')
  const file = join(folder, 'haproxy.cfg')
  await writeFile(file, configuration(sites, ports, admin))
  const child = spawn(binary, ['-db', '-f', file], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: string[] = []
  for (const output of [child.stdout, child.stderr]) {
    output.setEncoding('utf8').on('data', (text: string) => {
      lines.push(...text.split('\n').filter((line) => line !== ''))
      lines.splice(0, lines.length - 10_000)
    })
  }
  const stop = async (): Promise<void> => {
    await endChild(child)
    await rm(folder, { recursive: true, force: true })
  }
  const answers = () => ask(admin, 'show info').then((text) => text !== '', () => false)
  if (await comesUp(Object.values(ports), answers, child)) {
    const up = async (name: string) => (await ask(admin, 'show stat')).split('\n').filter((line) => isUp(line, name)).length
    return { kind: 'running' as const, haproxy: { ports, errors: async () => [...lines], up, stop } }
  }
  await stop()
  const log = lines.join('\n')
  return { kind: 'failed' as const, portInUse: /address already in use|cannot bind/i.test(log), log: log.slice(-2_000) }
}

function configuration(sites: readonly HaproxySite[], ports: Readonly<Record<string, number>>, admin: string): string {
  const blocks = sites.map(({ name, upstreamPorts, healthPath, upstreamTls }) => `
frontend front-${name}
  bind 127.0.0.1:${ports[name]} backlog 1024
  default_backend ${name}
backend ${name}
  option httpchk GET ${healthPath}
  http-reuse safe
${upstreamPorts.map((port, index) => `  server s${index} 127.0.0.1:${port} check inter 300ms fall 2 rise 1${upstreamTls ? ' ssl verify none check-ssl' : ''}`).join('\n')}
`)
  return `global
  maxconn 4096
  stats socket ${admin} mode 600 level user
  log stdout format raw local0
defaults
  mode http
  log global
  option httplog
  option dontlog-normal
  option redispatch
  retries 3
  timeout connect 2s
  timeout client 75s
  timeout http-keep-alive 75s
  timeout server 60s
  timeout check 5s
${blocks.join('')}`
}

/** A line of `show stat`: proxy, server, …, status (the eighteenth), which is `UP 1/2` while one bad check is missing. */
function isUp(line: string, name: string): boolean {
  const fields = line.split(',')
  return fields[0] === name && /^s\d+$/.test(fields[1] ?? '') && fields[17]?.startsWith('UP') === true
}

/** One command to the admin socket, and all that it answers. */
function ask(path: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(path)
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      answer += text
    })
    socket.once('end', () => resolve(answer))
    socket.once('error', reject)
    socket.end(`${command}\n`)
  })
}
