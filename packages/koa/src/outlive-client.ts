import type { Stream } from 'node:stream'
import type { Context } from 'koa'

/**
 * Has Koa answer a request whose client is gone: the answer is the result that its retry gets. Without this Koa ends such
 * a response without a body, destroys a body that is a stream, and answers the client's own connection error with a 500.
 */
export function outliveClient(context: Context): void {
  const { req, res, response } = context
  // Koa asks this before it writes. A response that was destroyed with an error was given up by the application.
  Object.defineProperty(response, 'writable', { configurable: true, get: () => !res.writableEnded && res.errored === null })
  keepBodies(context)

  const answerError = context.onerror.bind(context)
  const onerror = (error: Error): void => {
    if (error === null || error !== req.socket.errored) return answerError(error)
    context.app.emit('error', Object.assign(error, { headerSent: true }), context)
  }
  Object.assign(context, { onerror })
}

interface Destroyable {
  readonly readableEnded: boolean
  destroy: (error?: Error) => unknown
}

/** Bodies that are streams are not destroyed for the end of the client's connection (by on-finished, in Koa's setter). */
function keepBodies({ req, response }: Context): void {
  const accessor = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Object.getPrototypeOf(response)), 'body') ?? {}
  Object.defineProperty(response, 'body', {
    configurable: true,
    get: () => accessor.get?.call(response) as unknown,
    set: (value: unknown) => {
      const before: unknown = accessor.get?.call(response)
      if (isDestroyable(before) && before !== value) Reflect.deleteProperty(before, 'destroy')
      if (isDestroyable(value) && before !== value) {
        const destroy = value.destroy.bind(value)
        value.destroy = (error) => (error === undefined && req.socket.destroyed && !value.readableEnded ? value : destroy(error))
      }
      accessor.set?.call(response, value)
    },
  })
}

function isDestroyable(body: unknown): body is Destroyable & Stream {
  return typeof body === 'object' && body !== null && 'pipe' in body && 'destroy' in body && typeof body.destroy === 'function'
}
