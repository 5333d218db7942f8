/**
 * The part of undici that the interceptor touches, the same in undici 6, 7 and 8. Written down here, so that no version of its types
 * has to be there.
 */
export interface DispatchOptions {
  readonly origin?: string | URL | null
  readonly path: string
  readonly method: string
  readonly headers?: unknown
  readonly body?: unknown
  readonly upgrade?: unknown
  /** Not undici's own: makes the body anew for each attempt. */
  readonly getBody?: () => unknown
}

/** `dispatch(options, handler)` of a dispatcher. */
export type Dispatch = (options: DispatchOptions, handler: object) => boolean

/** What `compose` of a dispatcher takes. */
export type Interceptor = <D extends (options: never, handler: never) => boolean>(dispatch: D) => D

/** A handler as undici 6 has it. */
export interface LegacyHandler {
  onConnect?(abort: (reason?: unknown) => void, context?: unknown): void
  onUpgrade?(status: number, headers: unknown, socket: unknown): void
  onResponseStarted?(): void
  onHeaders?(status: number, headers: unknown, resume: () => void, statusText: string): boolean | void
  onData?(chunk: Uint8Array): boolean | void
  onComplete?(trailers: unknown): void
  onError?(error: unknown): void
  onBodySent?(chunk: unknown, total: unknown): void
  onRequestSent?(): void
}

/** What stands for a request in a handler of undici 7 and 8. */
export interface Controller {
  readonly aborted: boolean
  readonly reason: unknown
  readonly paused: boolean
  rawHeaders?: unknown
  rawTrailers?: unknown
  abort(reason: unknown): void
  pause(): void
  resume(): void
}

/** A handler as undici 7 and 8 have it. */
export interface CurrentHandler {
  onRequestStart?(controller: Controller, context: unknown): void
  onRequestUpgrade?(controller: Controller, status: number, headers: unknown, socket: unknown): void
  onResponseStarted?(): void
  onResponseStart?(controller: Controller, status: number, headers: Readonly<Record<string, string | string[] | undefined>>, statusMessage?: string): void
  onResponseData?(controller: Controller, chunk: Uint8Array): void
  onResponseEnd?(controller: Controller, trailers: unknown): void
  onResponseError?(controller: Controller, error: unknown): void
  onBodySent?(chunk: unknown, total: unknown): void
  onRequestSent?(): void
}
