import { HopwiseError, type EventSource, type IdempotencyEvents as CoreEvents, type IdempotencyOptions } from '@hopwise/core'
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest, RouteOptions } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { answerAlways, sendNodeStreams } from './answer.js'
import { protect, type Protection } from './protect.js'

/** The events of all routes that one registration protects. */
export type IdempotencyEvents = EventSource<CoreEvents>

declare module 'fastify' {
  interface FastifyInstance {
    /** The events of the nearest scope that registered the plugin. */
    idempotency: IdempotencyEvents
  }
  interface FastifyContextConfig {
    /** Protects the route by Idempotency-Key: with the options of its scope, or with some that are other for this route. */
    idempotent?: boolean | Partial<IdempotencyOptions<FastifyRequest>>
  }
}

/** Where a route's config has what protects it, and by which registration. */
const protection = Symbol('@hopwise/fastify: protection')

interface ProtectedConfig {
  readonly [protection]?: { readonly by: IdempotencyEvents; readonly hook: Protection['hook'] }
}

/**
 * What a route asks for.
 * @throws HopwiseError `option-unknown`, `option-invalid`: an oversight must not leave a route unprotected
 */
function askedBy({ method, url, config = {} }: RouteOptions): boolean | Partial<IdempotencyOptions<FastifyRequest>> | undefined {
  const route = `${String(method)} ${url}`
  if ('idempotency' in config) throw new HopwiseError('option-unknown', `${route}: unknown option "config.idempotency"; allowed: config.idempotent`)
  const { idempotent } = config
  if (idempotent === undefined || typeof idempotent === 'boolean') return idempotent
  if (typeof idempotent !== 'object' || idempotent === null) throw new HopwiseError('option-invalid', `${route}: option "config.idempotent" is ${JSON.stringify(idempotent)}; allowed: true, false, or options of the plugin`)
  return idempotent
}

const plugin: FastifyPluginAsync<IdempotencyOptions<FastifyRequest>> = async (app, options) => {
  if (Object.hasOwn(app, 'idempotency')) {
    throw new HopwiseError('mounted-twice', 'the idempotency plugin is registered twice in one scope; a scope inside of this one may have options of its own')
  }
  const all = protect(options)
  const events = new SharedEvents(all)
  app.decorate('idempotency', events)

  app.addHook('onRoute', function (this: FastifyInstance, route: RouteOptions) {
    const asked = askedBy(route)
    // A registration in a scope nearer to the route is the one that counts.
    if (!asked || this.idempotency !== events) return
    const { hook } = asked === true ? all : events.add(protect({ ...options, ...asked }))
    route.config = Object.assign({ ...route.config }, { [protection]: { by: events, hook } } satisfies ProtectedConfig)
    route.onSend = [sendNodeStreams, ...listOf(route.onSend)]
    route.handler = answerAlways(route.handler)
  })
  // A hook of the scope, not of the route: it has to come before what plugins put in front of a route's own hooks.
  app.addHook('preParsing', function (request, reply, payload, next) {
    const { config, method, url } = request.routeOptions
    const found = (config as ProtectedConfig)[protection]
    if (found?.by === events) return found.hook.call(this, request, reply, payload, next)
    if (found !== undefined || !config.idempotent) return next(null, payload)
    next(new HopwiseError('option-invalid', `${String(method)} ${url} is to be idempotent, but was added before the plugin was there: await app.register(idempotency, …) first`))
  })
}

/**
 * Protects the routes of a scope that ask for it by Idempotency-Key: a retry gets the first answer, byte for byte, and the
 * handler runs once. Options hold for the scope that registers the plugin and those inside of it; the nearest one counts.
 * Twice in one scope is an error.
 * @throws HopwiseError `option-unknown`, `option-invalid`, `mounted-twice`, as the rejection of `register`
 * @example
 * await app.register(idempotency, { store, principal: (request) => request.user.id })
 * app.post('/orders', { config: { idempotent: true } }, createOrder)
 */
export const idempotency = fastifyPlugin(plugin, { fastify: '5.x', name: '@hopwise/fastify/idempotency' })

/** One place to listen to several engines, those that come later included. */
class SharedEvents implements IdempotencyEvents {
  readonly #engines: Protection[] = []
  readonly #listening = new Set<(engine: Protection) => void>()

  constructor(first: Protection) {
    this.add(first)
  }

  add(engine: Protection): Protection {
    this.#engines.push(engine)
    for (const listen of this.#listening) listen(engine)
    return engine
  }

  on<K extends keyof CoreEvents>(name: K, listener: (event: CoreEvents[K]) => void): () => void {
    const ends: (() => void)[] = []
    const listen = (engine: Protection): void => void ends.push(engine.on(name, listener))
    this.#engines.forEach(listen)
    this.#listening.add(listen)
    return () => {
      this.#listening.delete(listen)
      for (const end of ends) end()
    }
  }
}

function listOf<T>(hooks: T | T[] | undefined): T[] {
  return hooks === undefined ? [] : Array.isArray(hooks) ? hooks : [hooks]
}
