/** Without a chain and a hint: less than the 5 s for which a Node server keeps an idle connection, as undici has it. */
const idleWithoutHint = 4_000

/**
 * How long an agent may keep an idle connection, in milliseconds; 0: not at all.
 * @param keepAlive the values of the response's `Keep-Alive` field; `timeout=<seconds>` in it is how long the server keeps the connection
 * @param fromChain what the chain says, in milliseconds
 * @param margin how much earlier than the server, in milliseconds
 */
export function agentIdleLimit(keepAlive: string | undefined, fromChain: number | undefined, margin: number): number {
  const hinted = /(?:^|[\s,;])timeout\s*=\s*"?(\d{1,6})/i.exec(keepAlive ?? '')?.[1]
  const hint = hinted === undefined ? undefined : Math.max(0, Number(hinted) * 1_000 - margin)
  return Math.min(hint ?? (fromChain === undefined ? idleWithoutHint : Infinity), fromChain ?? Infinity)
}
