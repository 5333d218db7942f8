/** What came of the contract for one adapter, framework and runtime. */
export interface ContractRow {
  readonly adapter: string
  readonly framework: string
  readonly runtime: string
  /** How many cases the contract has. */
  readonly declared: number
  readonly passed: number
  readonly failed: number
  readonly skipped: readonly { readonly case: string; readonly reason: string }[]
}

/** The runtime that runs this, with its version, such as `node 24.1.0`. */
export function runningRuntime(): string {
  const { Bun, Deno, process } = globalThis as { Bun?: { version: string }; Deno?: { version: { deno: string } }; process?: { versions: { node?: string } } }
  if (Bun !== undefined) return `bun ${Bun.version}`
  if (Deno !== undefined) return `deno ${Deno.version.deno}`
  return `node ${process?.versions.node}`
}

/** @throws Error that names the cases which have neither run nor a reason to be skipped. */
export function assertComplete({ declared, passed, failed, skipped }: ContractRow): void {
  const ran = passed + failed
  if (ran + skipped.length === declared) return
  throw new Error(`of ${declared} declared cases, ${ran} ran and ${skipped.length} are skipped for a reason: ${declared - ran - skipped.length} were left out`)
}
