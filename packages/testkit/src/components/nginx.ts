import { spawn, spawnSync } from 'node:child_process'
import { access, chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findBinary, MissingComponent } from './find-binary.js'
import { freePort } from './free-port.js'
import { comesUp, endChild } from './server-child.js'

/** One virtual server of a private nginx, in front of one set of instances. */
export interface NginxSite {
  /** A name of letters, for the upstream. */
  readonly name: string
  /** The ports of the instances on 127.0.0.1. */
  readonly upstreamPorts: readonly number[]
  /** The instances speak TLS; their certificates are not looked at. [false] */
  readonly upstreamTls?: boolean
}

/** A private nginx that runs. */
export interface Nginx {
  /** E.g. `1.22.1`. */
  readonly version: string
  /** The port of each site, by its name. */
  readonly ports: Readonly<Record<string, number>>
  /** The lines of the error log so far. */
  errors(): Promise<string[]>
  /** Ends it by its own handle and removes its folder. */
  stop(): Promise<void>
}

/**
 * Starts an nginx of its own: own folder, free ports on 127.0.0.1, in the foreground as a child of this process. Each
 * site keeps up to 64 idle connections a worker to its instances and reuses them for 60 s (nginx's own figure). An
 * instance that refuses a connection is passed over for one second (`max_fails=1 fail_timeout=1s`).
 * @param binary the nginx to run, if not the one that is installed
 * @throws MissingComponent where nginx is not installed
 */
export async function startNginx(sites: readonly NginxSite[], binary: string | undefined = findBinary('nginx')): Promise<Nginx> {
  if (binary === undefined) throw new MissingComponent('nginx')
  const version = /nginx\/([\d.]+)/.exec(spawnSync(binary, ['-v'], { encoding: 'utf8' }).stderr ?? '')?.[1]
  if (version === undefined) throw new Error(`${binary} is not an nginx that runs`)
  // The free port may be gone by the time nginx binds it: then all are chosen anew.
  for (let triesLeft = 5; ; triesLeft--) {
    const started = await tryStart(binary, sites)
    if (started.kind === 'running') return { version, ...started.nginx }
    if (!started.portInUse || triesLeft === 0) throw new Error(`nginx did not start: ${started.log}`)
  }
}

async function tryStart(binary: string, sites: readonly NginxSite[]) {
  const folder = await mkdtemp(join(tmpdir(), 'hopwise-nginx-'))
  // Started as root, nginx gives its workers another user, who has to get through to the folder for buffered bodies.
  await chmod(folder, 0o711)
  await mkdir(join(folder, 'tmp'))
  const ports: Record<string, number> = {}
  for (const { name } of sites) ports[name] = await freePort()
  const errorLog = join(folder, 'error.log')
  await writeFile(join(folder, 'nginx.conf'), configuration(sites, ports))
  const child = spawn(binary, ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', errorLog], { stdio: 'ignore' })
  const log = () => readFile(errorLog, 'utf8').catch(() => '')
  const stop = async (): Promise<void> => {
    await endChild(child)
    await rm(folder, { recursive: true, force: true })
  }
  // Written once it has bound its ports.
  const bound = () => access(join(folder, 'nginx.pid')).then(() => true, () => false)
  if (await comesUp(Object.values(ports), bound, child)) {
    const errors = async () => (await log()).split('\n').filter((line) => line !== '')
    return { kind: 'running' as const, nginx: { ports, errors, stop } }
  }
  const text = await log()
  await stop()
  return { kind: 'failed' as const, portInUse: text.includes('Address already in use'), log: text.slice(-2_000) }
}

function configuration(sites: readonly NginxSite[], ports: Readonly<Record<string, number>>): string {
  const blocks = sites.map(({ name, upstreamPorts, upstreamTls }) => `
  upstream ${name} {
${upstreamPorts.map((port) => `    server 127.0.0.1:${port} max_fails=1 fail_timeout=1s;`).join('\n')}
    keepalive 64;
  }
  server {
    listen 127.0.0.1:${ports[name]} backlog=1024;
    location / {
      proxy_pass ${upstreamTls ? 'https' : 'http'}://${name};
      proxy_ssl_verify off;
      proxy_ssl_session_reuse on;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }`)
  return `daemon off;
pid nginx.pid;
worker_processes 1;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path tmp/body;
  proxy_temp_path tmp/proxy;
  fastcgi_temp_path tmp/fastcgi;
  uwsgi_temp_path tmp/uwsgi;
  scgi_temp_path tmp/scgi;
  keepalive_requests 1000000;
${blocks.join('\n')}
}
`
}
