/** For Hono on Node, with @hono/node-server: everything that @hopwise/node does for a server. */
export { attach, shutdownTogether, type DrainReport, type Hop, type Shutdown, type ShutdownOptions, type ShutdownReport } from '@hopwise/node'
