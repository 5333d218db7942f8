import type { DrainPlan } from '../drain/plan.js'
import { comment, requestTime, stopTime, type StopTimes } from './deployment-times.js'
import type { ServerSettings } from './derive.js'

/**
 * The `[Service]` section of a unit. What it follows from (systemd.service(5) and systemd.kill(5) of 252, read on
 * 2026-11-24): SIGTERM, SIGINT, SIGHUP and SIGPIPE are clean ends anyway, an exit status of 143 is one only where
 * `SuccessExitStatus` says so; `mixed` sends SIGTERM to the main process alone and kills the others once it has ended;
 * a service that is stopped or restarted by systemd is not restarted by `Restart`.
 * @throws HopwiseError `option-invalid`, as {@link requestTime}
 */
export function systemdFragment(plan: DrainPlan, server: ServerSettings, { hooks, longestRequest }: StopTimes): string {
  const stop = stopTime(plan, hooks)
  return `[Service]
# For a drain that goes ${plan.mode}
${comment(requestTime(plan, server, longestRequest), '#')}# ${stop.sum}
TimeoutStopSec=${stop.seconds}
# The server alone gets the signal; what it has started is killed once it has ended.
KillSignal=SIGTERM
KillMode=mixed
# Ended by SIGTERM is clean anyway; 143 (128 + 15) is how a shell or a container's first process says it.
SuccessExitStatus=143
Restart=on-failure
`
}
