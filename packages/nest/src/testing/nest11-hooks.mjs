// Resolves @nestjs/* as a project with Nest 11 would: `node --import nest11-hooks.mjs`.
import { register } from 'node:module'

const nest11 = new URL('../../nest11/package.json', import.meta.url).href
const source = `export const resolve = (specifier, context, next) =>
  next(specifier, specifier.startsWith('@nestjs/') && !context.parentURL.includes('/node_modules/') ? { ...context, parentURL: ${JSON.stringify(nest11)} } : context)`
register(`data:text/javascript,${encodeURIComponent(source)}`)
