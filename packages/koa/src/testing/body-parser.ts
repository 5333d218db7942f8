import { createRequire } from 'node:module'
import type { Middleware } from 'koa'

const require = createRequire(import.meta.url)

/** `@koa/bodyparser` without its types: they give every IncomingMessage a `rawBody` that is a string, which is not so. */
export const { bodyParser } = require('@koa/bodyparser') as { readonly bodyParser: () => Middleware }
