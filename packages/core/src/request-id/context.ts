import type { TraceContext } from '../trace/resolve.js'
import type { RequestIdentity } from './resolve.js'

/** What is known of the request that is being served. */
export interface RequestContext {
  readonly requestId?: RequestIdentity
  /** The request's place in its trace. */
  readonly trace?: TraceContext
  /** The idempotent run that the request's handler is, where there is one. */
  readonly run?: { release(): void }
}

interface AsyncStorage<T> {
  run<R>(store: T, callback: () => R): R
  getStore(): T | undefined
}

type BuiltinModules = { getBuiltinModule?: (name: string) => { AsyncLocalStorage?: new () => AsyncStorage<RequestContext> } | undefined }

// The one look at `process`, guarded: an import of the module would break bundles for runtimes that have none.
const host = (globalThis as { process?: BuiltinModules }).process
const Storage = host?.getBuiltinModule?.('async_hooks')?.AsyncLocalStorage
const storage = Storage && /* @__PURE__ */ new Storage()

/**
 * Runs `callback` as part of a request: {@link getContext} finds `context` in it and in everything that it starts.
 * On a runtime without AsyncLocalStorage the callback just runs, and the context has to be handed on.
 */
export function runInContext<R>(context: RequestContext, callback: () => R): R {
  return storage ? storage.run(context, callback) : callback()
}

/** The context of the request that is being served, or `undefined` outside of one. */
export function getContext(): RequestContext | undefined {
  return storage?.getStore()
}

/** The id of the request that is being served, or `undefined` outside of one. */
export function getRequestId(): string | undefined {
  return getContext()?.requestId?.id
}
