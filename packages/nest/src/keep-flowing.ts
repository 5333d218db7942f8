import { StreamableFile } from '@nestjs/common'

/**
 * Nest destroys the stream of a `StreamableFile` when its client is gone. A protected handler's goes on, so that its
 * retry gets the whole of it: a mere `destroy()` before the end is ignored, one with an error is not. Gives the value.
 */
export function keepFlowing(value: unknown): unknown {
  if (!(value instanceof StreamableFile)) return value
  const stream = value.getStream()
  const destroy = stream.destroy.bind(stream)
  stream.destroy = (error) => (error === undefined && !stream.readableEnded ? stream : destroy(error))
  return value
}
