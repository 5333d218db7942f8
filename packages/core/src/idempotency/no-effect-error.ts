import { getContext } from '../request-id/context.js'

/**
 * To be thrown by a handler that knows that nothing happened: a retry with the same key may run. Made inside of a
 * protected handler, it gives the handler's key back, whatever status the error becomes by the framework's error path.
 * @example if (!card.accepts(amount)) throw new NoEffectError('the card was not charged')
 */
export class NoEffectError extends Error {
  override readonly name = 'NoEffectError'

  constructor(message = 'nothing happened', options?: ErrorOptions) {
    super(message, options)
    getContext()?.run?.release()
  }
}
