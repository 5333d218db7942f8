// Makes the calls of its argument, and prints what came of them: on Bun and Deno.
import { makeCalls } from './make-calls.mjs'

console.log(JSON.stringify(await makeCalls(JSON.parse(process.argv[2] ?? ''))))
// Connections that are kept would hold the process.
process.exit(0)
