import type { Server } from 'node:http'
import { attach, healthHandler, requestId, type Hop } from '@hopwise/node'
import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common'
import { HttpAdapterHost, ModulesContainer } from '@nestjs/core'
import { drainOrCut } from './drain-or-cut.js'
import { HOPWISE_OPTIONS, readModuleOptions, type HopwiseModuleOptions } from './module-options.js'
import { nativeOf, type NestRequest, type PlatformRequest } from './platform.js'

interface AdapterLike {
  use(handler: unknown): unknown
  getHttpServer(): unknown
  /** Nest 12 calls it before any hook of a shutdown; in Nest 11 nobody does. */
  beforeClose?(): unknown
}

/** Binds the policy to the application's server when it starts, and drains it before any other part of the application ends. */
@Injectable()
export class HopHost implements OnModuleInit, OnModuleDestroy {
  readonly #options: ReturnType<typeof readModuleOptions>
  readonly #host: HttpAdapterHost
  #hop: Hop | undefined

  /** @throws HopwiseError `option-unknown`, `option-invalid` */
  constructor(@Inject(HOPWISE_OPTIONS) options: HopwiseModuleOptions, @Inject(HttpAdapterHost) host: HttpAdapterHost, @Inject(ModulesContainer) modules: ModulesContainer) {
    this.#options = readModuleOptions(options)
    this.#host = host
    const middleware = this.#middleware()
    // At once, or where there is no adapter yet (tests), when there is one: before body parsers and routes.
    host.init$.subscribe(() => {
      for (const handler of middleware) this.#adapter?.use(handler)
    })
    beNearest(modules)
  }

  /** The server as a hop; `undefined` before `onApplicationBootstrap`, and in an application without HTTP. */
  get hop(): Hop | undefined {
    return this.#hop
  }

  /** What a readiness check is to be answered with: false from the first moment of a drain. */
  get ready(): boolean {
    return this.#hop?.ready ?? true
  }

  /**
   * For an exchange without an end of its own, such as one of `@Sse()`: aborted when it is to end, as the hop's own
   * `drainSignal`. Takes the request that the handler was given, of either platform.
   */
  drainSignal(request: NestRequest): AbortSignal {
    return this.#hop?.drainSignal(nativeOf(request as PlatformRequest)) ?? new AbortController().signal
  }

  /** @throws HopwiseError whatever `attach` throws */
  onModuleInit(): void {
    const adapter = this.#adapter
    if (adapter === undefined) return
    this.#hop = attach(adapter.getHttpServer() as Server, this.#options.policy)
    const beforeClose = adapter.beforeClose?.bind(adapter)
    adapter.beforeClose = async () => {
      await this.#drain()
      await beforeClose?.()
    }
  }

  async onModuleDestroy(): Promise<void> {
    await this.#drain()
  }

  async #drain(): Promise<void> {
    if (this.#hop !== undefined) await drainOrCut(this.#hop, this.#options.signals)
  }

  get #adapter(): AdapterLike | undefined {
    return (this.#host.httpAdapter as AdapterLike | null | undefined) ?? undefined
  }

  #middleware(): unknown[] {
    const { health, requestId: ids } = this.#options
    return [...(health === false ? [] : [healthHandler(this, health === true ? {} : health)]), ...(ids === false ? [] : [requestId(ids)])]
  }
}

/**
 * Nest calls the hooks of a shutdown in the order of the modules' distance from the root: below 0 is before all others.
 * Global modules, which this one is by default, would come last.
 */
function beNearest(modules: ModulesContainer): void {
  for (const module of modules.values()) if (module.hasProvider(HopHost)) module.distance = -1
}
