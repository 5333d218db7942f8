import type { ServerResponse } from 'node:http'

/**
 * Calls `then` once an answer is out, or nobody is left to get it. At once where that is so already, and where the answer
 * waits behind another one on its connection: when that is cut, Node does not tell those that wait.
 */
export function whenClosed(response: ServerResponse, then: () => void): void {
  if (response.closed || response.socket === null || response.socket.destroyed) then()
  else response.once('close', then)
}
