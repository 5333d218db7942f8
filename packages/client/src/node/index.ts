/** What `node:http` needs of the client: an agent whose idle connections end in time, and a check for those that do not. */
export { lintAgent, type AgentFinding, type LintAgentOptions } from './lint-agent.js'
export { safeAgent, type SafeAgentOptions } from './safe-agent.js'
