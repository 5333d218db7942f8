import type { IncomingMessage } from 'node:http'
import type { EventSource, IdempotencyEvents } from '@hopwise/core'
import { createIdempotentMiddleware, type IdempotentMiddleware } from '@hopwise/node'
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common'
import { DiscoveryService, MetadataScanner } from '@nestjs/core'
import { mergeIdempotencyOptions, onNativeRequests, type NestIdempotencyOptions } from './idempotency-options.js'
import { HOPWISE_OPTIONS, readModuleOptions, type HopwiseModuleOptions } from './module-options.js'
import type { NestRequest } from './platform.js'

/** Where {@link Idempotent} keeps its options, on the handler or the controller. */
export const IDEMPOTENT_METADATA = 'hopwise:idempotent'

type Engine = IdempotentMiddleware<IncomingMessage>

/** What a request is to its engine; the interceptor says it before the engine begins. */
export interface RequestReading {
  readonly request: NestRequest
  readonly target: string
  readonly route: string
}

/**
 * The idempotency engines of an application: one for each set of options. Inject it to listen to their events.
 * @example constructor(@Inject(IdempotencyEngines) engines: IdempotencyEngines) { engines.on('store-error', …) }
 */
@Injectable()
export class IdempotencyEngines implements EventSource<IdempotencyEvents>, OnModuleInit {
  readonly #defaults: NestIdempotencyOptions
  /** By the options of the controller, then by those of the handler. */
  readonly #engines = new Map<NestIdempotencyOptions | undefined, Map<NestIdempotencyOptions | undefined, Engine>>()
  readonly #readings = new WeakMap<IncomingMessage, RequestReading>()
  readonly #endings = new WeakMap<IncomingMessage, (how: 'answered' | 'gone') => void>()
  readonly #subscriptions = new Set<(engine: Engine) => void>()
  readonly #discovery: DiscoveryService
  readonly #scanner: MetadataScanner

  constructor(@Inject(HOPWISE_OPTIONS) options: HopwiseModuleOptions, @Inject(DiscoveryService) discovery: DiscoveryService, @Inject(MetadataScanner) scanner: MetadataScanner) {
    this.#defaults = readModuleOptions(options).idempotency
    this.#discovery = discovery
    this.#scanner = scanner
  }

  /**
   * Makes the engine of every protected handler, so that wrong options stop the application and not its first request.
   * @throws HopwiseError `option-unknown`, `option-invalid`
   */
  onModuleInit(): void {
    for (const { metatype } of this.#discovery.getControllers()) {
      if (typeof metatype !== 'function') continue
      const prototype = metatype.prototype as Record<string, object>
      for (const name of this.#scanner.getAllMethodNames(prototype)) {
        const handler = prototype[name]
        if (handler !== undefined && Reflect.hasMetadata('path', handler) && optionsOf(metatype, handler).some((options) => options !== undefined)) this.of(metatype, handler)
      }
    }
  }

  /** The engine of a handler. */
  of(controller: object, handler: object): Engine {
    const [ofController, ofHandler] = optionsOf(controller, handler)
    const engines = this.#engines.get(ofController) ?? new Map<NestIdempotencyOptions | undefined, Engine>()
    this.#engines.set(ofController, engines)
    const known = engines.get(ofHandler)
    if (known !== undefined) return known
    const options = mergeIdempotencyOptions(this.#defaults, ofController, ofHandler)
    const made = createIdempotentMiddleware<IncomingMessage>(onNativeRequests(options, (native) => this.#read(native).request), {
      target: (native) => this.#read(native).target,
      route: (native) => this.#read(native).route,
      ended: (native, how) => this.#endings.get(native)?.(how),
    })
    engines.set(ofHandler, made)
    for (const subscribe of this.#subscriptions) subscribe(made)
    return made
  }

  /** Says what a request is, once. Gives whether nobody has said it before. */
  enter(native: IncomingMessage, reading: RequestReading): boolean {
    if (this.#readings.has(native)) return false
    this.#readings.set(native, reading)
    return true
  }

  /** Calls `listener` where the engine does not go on with a request: it has answered itself, or the client is gone. */
  onEnded(native: IncomingMessage, listener: (how: 'answered' | 'gone') => void): void {
    this.#endings.set(native, listener)
  }

  /** Calls `listener` at each `name` event of every engine, also of those that are still to be made, until the returned function is called. */
  on<K extends keyof IdempotencyEvents>(name: K, listener: (event: IdempotencyEvents[K]) => void): () => void {
    const stops: (() => void)[] = []
    const subscribe = (engine: Engine): void => void stops.push(engine.on(name, listener))
    this.#subscriptions.add(subscribe)
    for (const engines of this.#engines.values()) for (const engine of engines.values()) subscribe(engine)
    return () => {
      this.#subscriptions.delete(subscribe)
      for (const stop of stops) stop()
    }
  }

  #read(native: IncomingMessage): RequestReading {
    const reading = this.#readings.get(native)
    if (reading === undefined) throw new TypeError('this request did not come through the interceptor of @Idempotent()')
    return reading
  }
}

function optionsOf(controller: object, handler: object): [ofController: NestIdempotencyOptions | undefined, ofHandler: NestIdempotencyOptions | undefined] {
  return [Reflect.getMetadata(IDEMPOTENT_METADATA, controller) as NestIdempotencyOptions | undefined, Reflect.getMetadata(IDEMPOTENT_METADATA, handler) as NestIdempotencyOptions | undefined]
}
