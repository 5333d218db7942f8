/** Who is restarted in the rolling scenario, Hopwise first. */
export const serverNames = ['hopwise', 'exit', 'close', 'stoppable', 'terminus', 'http-terminator', 'http-graceful-shutdown', 'fastify', 'nest'] as const
