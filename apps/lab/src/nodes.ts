import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { findNode } from '@hopwise/testkit/components'

/** What can be asked for, besides the running one. */
const nodeMajors: readonly string[] = ['20', '22', '24', '26']

/** Which Node runs the servers. */
export const nodeOption = { kind: 'words', allowed: nodeMajors, about: 'which Node runs the servers [the running one]; may be said several times' } as const

/** A Node that can be started. */
export interface LabNode {
  /** E.g. `24.21.0`. */
  readonly version: string
  readonly path: string
}

/** The Nodes that were asked for, fetched where they are not on this machine; the running one where none was. */
export async function nodesOf(majors: readonly string[]): Promise<LabNode[]> {
  if (majors.length === 0) return [{ version: process.versions.node, path: process.execPath }]
  const root = new URL('../../../', import.meta.url)
  const { ensureComponent } = (await import(new URL('scripts/components.mjs', root).href)) as { ensureComponent(name: string, where: { root: string; quiet: boolean }): void }
  return majors.map((major) => {
    ensureComponent(`node-${major}`, { root: fileURLToPath(root), quiet: true })
    const path = findNode(Number(major))
    const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' })
    return { version: stdout.trim().slice(1), path }
  })
}
