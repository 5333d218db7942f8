import { parseOptions, valueField, type Policy, type PolicyOptions, type RequestIdOptions } from '@hopwise/core'
import type { HealthOptions } from '@hopwise/node'
import { ConfigurableModuleBuilder } from '@nestjs/common'
import type { NestIdempotencyOptions } from './idempotency-options.js'

/** The options of {@link HopwiseModule}. */
export interface HopwiseModuleOptions {
  /** The chain in front, the server's timeouts and the drain: what `attach()` takes. [the defaults of a policy] */
  readonly policy?: PolicyOptions | Policy
  /** How requests get their ids, or `false` for none. [{}] */
  readonly requestId?: RequestIdOptions | false
  /** What every `@Idempotent()` has, unless it says otherwise. [{}] */
  readonly idempotency?: NestIdempotencyOptions
  /** Answers `/readyz` and `/livez` before anything else does: `true`, or the options of the checks. [false] */
  readonly health?: HealthOptions | boolean
  /**
   * Which signals, coming again while the server drains, end the drain at once; for signals that somebody listens to, as
   * Nest does after `enableShutdownHooks()`. [['SIGTERM', 'SIGINT']]
   */
  readonly signals?: readonly NodeJS.Signals[]
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Reads the module's options; what is in each of them is read by whom it is for.
 * @throws HopwiseError `option-unknown`, `option-invalid`
 */
export function readModuleOptions(options: HopwiseModuleOptions | undefined) {
  return parseOptions('HopwiseModule', options, {
    policy: valueField<PolicyOptions | Policy>('a policy, or its options', isObject),
    requestId: { ...valueField<RequestIdOptions | false>('the options of request ids, or false', (value) => value === false || isObject(value)), default: {} as RequestIdOptions | false },
    idempotency: { ...valueField<NestIdempotencyOptions>('the options of @Idempotent()', isObject), default: {} as NestIdempotencyOptions },
    health: { ...valueField<HealthOptions | boolean>('true, false, or the options of the health checks', (value) => typeof value === 'boolean' || isObject(value)), default: false as HealthOptions | boolean },
    signals: { ...valueField<readonly NodeJS.Signals[]>('a list of signal names', (value) => Array.isArray(value) && value.every((name) => typeof name === 'string')), default: ['SIGTERM', 'SIGINT'] as readonly NodeJS.Signals[] },
  })
}

/** What the module is made of by Nest's own builder: `forRoot`, `forRootAsync`, and the token of the options. */
export const {
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN: HOPWISE_OPTIONS,
} = new ConfigurableModuleBuilder<HopwiseModuleOptions>({ moduleName: 'Hopwise' })
  .setClassMethodName('forRoot')
  .setExtras({ isGlobal: true }, (definition, { isGlobal }) => ({ ...definition, global: isGlobal }))
  .build()
