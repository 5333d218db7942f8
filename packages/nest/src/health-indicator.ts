import type { DrainPhase } from '@hopwise/core'
import { Inject, Injectable } from '@nestjs/common'
import { HopHost } from './hop-host.js'

/** What @nestjs/terminus (11 and later) takes from an indicator. */
export type HopHealth<Key extends string> = Record<Key, { readonly status: 'up' | 'down'; readonly phase: DrainPhase }>

/**
 * Readiness for @nestjs/terminus: down from the first moment of a drain.
 * @example health.check([() => this.hopwise.isReady()])
 */
@Injectable()
export class HopHealthIndicator {
  readonly #host: HopHost

  constructor(@Inject(HopHost) host: HopHost) {
    this.#host = host
  }

  /** @param key the name in the report ['hopwise'] */
  isReady<const Key extends string = 'hopwise'>(key = 'hopwise' as Key): HopHealth<Key> {
    const { ready, hop } = this.#host
    return { [key]: { status: ready ? 'up' : 'down', phase: hop?.phase ?? 'ready' } } as HopHealth<Key>
  }
}
