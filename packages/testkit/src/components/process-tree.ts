import { spawnSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'

/** The ids of the processes that the process `parent` started and that still run; from /proc where there is one, else from ps. */
export function childrenOf(parent: number): number[] {
  return allProcesses().flatMap(([pid, ppid]) => (ppid === parent ? [pid] : []))
}

function allProcesses(): (readonly [pid: number, parent: number])[] {
  if (process.platform !== 'linux') {
    const lines = (spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).stdout ?? '').trim().split('\n')
    return lines.map((line) => line.trim().split(/\s+/).map(Number)).map(([pid = 0, parent = 0]) => [pid, parent] as const)
  }
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      // "pid (name) state ppid ...": the name may hold anything, so count from its last bracket.
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      return [[Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])] as const]
    } catch {
      return []
    }
  })
}
