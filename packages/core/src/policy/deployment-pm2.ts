import type { DrainPlan } from '../drain/plan.js'
import { comment, requestTime, stopTime, type StopTimes } from './deployment-times.js'
import type { ServerSettings } from './derive.js'

/**
 * An ecosystem file. What it follows from (PM2 7.0.3, lib/God/Methods.js, lib/God/Reload.js, lib/API/schema.json and
 * constants.js, read on 2026-11-24): `PM2_KILL_SIGNAL`, SIGINT by default, goes to the process and, with `treekill`
 * (the default), to all that it has started; SIGKILL follows after `kill_timeout` (1600 ms by default). A reload stops
 * the old process when the new one says 'ready', or after `listen_timeout` (3000 ms by default) in any case.
 * @throws HopwiseError `option-invalid`, as {@link requestTime}
 */
export function pm2Fragment(plan: DrainPlan, server: ServerSettings, { hooks, longestRequest }: StopTimes): string {
  const stop = stopTime(plan, hooks)
  return `// ecosystem.config.cjs, for a drain that goes ${plan.mode}
${comment(requestTime(plan, server, longestRequest), '//')}module.exports = {
  apps: [{
    name: 'app',
    // The server's own file: npm in between passes the signal on, and a second signal ends a drain.
    script: './server.js',
    // ${stop.sum} (PM2's default: 1600 ms)
    kill_timeout: ${stop.seconds * 1_000},
    // SIGINT (PM2_KILL_SIGNAL) goes to the server alone: it may need what it has started, and has to end it itself.
    treekill: false,
    // A reload stops the old one once the new one says so: server.listen(port, () => process.send?.('ready')),
    // or after listen_timeout in any case: that has to be longer than a start.
    wait_ready: true,
    listen_timeout: 10000,
    // On Windows: shutdown_with_message: true, and a drain when process gets the message 'shutdown'.
  }],
}
`
}
