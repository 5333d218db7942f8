import type { Clock } from '../clock.js'
import { closeSocket, type WatchedSocket } from './socket.js'

interface SocketState {
  readonly origin: string
  /** Requests that it carries now. */
  active: number
  /** Requests that it has carried. */
  carried: number
  idleSince: number
  cancel: (() => void) | undefined
}

/** What was found of a socket at the moment of sending. */
interface SocketUse {
  readonly reused: boolean
  /** Milliseconds; `undefined` where it was not idle, or not seen before. */
  readonly idleAge: number | undefined
}

/** The sockets on which requests were seen, and how long each has been idle. An entry goes with its socket. */
export interface Sockets {
  /** A proxy is asked for a tunnel. What comes on the socket before the first request in the tunnel is the proxy's. */
  tunnelling(socket: WatchedSocket): void
  /** A request is about to be written. */
  sending(socket: WatchedSocket, origin: string): SocketUse
  /** A request is over. `idleLimit`: an idle socket is closed after so many milliseconds. */
  done(socket: WatchedSocket, idleLimit: number | undefined): void
  /** Closes the sockets to an origin that have been idle for so many milliseconds. Gives how many there were. */
  closeIdle(origin: string, atLeast: number): number
}

/** Makes the registry. */
export function createSockets(clock: Clock): Sockets {
  const states = new WeakMap<WatchedSocket, SocketState>()
  const tunnels = new WeakSet<WatchedSocket>()
  const ofOrigin = new Map<string, Set<WatchedSocket>>()

  const seen = (socket: WatchedSocket, origin: string): SocketState => {
    const state: SocketState = { origin, active: 0, carried: 0, idleSince: clock.now(), cancel: undefined }
    states.set(socket, state)
    const siblings = ofOrigin.get(origin) ?? new Set()
    ofOrigin.set(origin, siblings.add(socket))
    socket.once('close', () => {
      state.cancel?.()
      siblings.delete(socket)
      if (siblings.size === 0 && ofOrigin.get(origin) === siblings) ofOrigin.delete(origin)
    })
    return state
  }

  return {
    tunnelling: (socket) => void tunnels.add(socket),
    sending(socket, origin) {
      const known = states.get(socket)
      const state = known ?? seen(socket, origin)
      // One that was opened before anybody watched has read something if it ever carried a request.
      const reused = known === undefined ? socket.bytesRead > 0 && socket.alpnProtocol !== 'h2' && !tunnels.has(socket) : state.carried > 0
      const idleAge = known !== undefined && state.active === 0 && reused ? clock.now() - state.idleSince : undefined
      state.cancel?.()
      state.cancel = undefined
      state.active += 1
      state.carried += 1
      return { reused, idleAge }
    },
    done(socket, idleLimit) {
      const state = states.get(socket)
      if (state === undefined || state.active === 0) return
      state.active -= 1
      if (state.active > 0) return
      state.idleSince = clock.now()
      if (idleLimit === undefined || socket.destroyed) return
      state.cancel = clock.after(idleLimit, () => {
        if (state.active === 0) closeSocket(socket)
      }, true)
    },
    closeIdle(origin, atLeast) {
      const idleSinceBefore = clock.now() - atLeast
      const idle = [...(ofOrigin.get(origin) ?? [])].filter((socket) => {
        const state = states.get(socket)
        return state !== undefined && state.active === 0 && state.idleSince <= idleSinceBefore && !socket.destroyed
      })
      for (const socket of idle) closeSocket(socket)
      return idle.length
    },
  }
}
