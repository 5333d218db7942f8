import { Logger } from '@nestjs/common'
import { readArguments } from './arguments.js'
import { createApp } from './create-app.js'

const { port, ...choice } = readArguments(process.argv.slice(2))
const app = await createApp(choice)
// One address: of the further servers that Fastify makes for "localhost", none would be drained.
await app.listen(port, '127.0.0.1')
new Logger('Main').log(`listening on ${await app.getUrl()}`)
