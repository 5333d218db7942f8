import type { RequestIdOptions, RequestIds } from '@hopwise/core'
import { requestId as nodeRequestId } from '@hopwise/node'
import type { FastifyPluginAsync } from 'fastify'
import fastifyPlugin from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** The request ids of the nearest scope that registered them: `on`, and the counts of `rejections()`. */
    requestIds: Pick<RequestIds, 'on' | 'rejections'>
  }
}

const plugin: FastifyPluginAsync<RequestIdOptions> = async (app, options) => {
  const identify = nodeRequestId(options)
  app.decorate('requestIds', { on: identify.on, rejections: identify.rejections })
  app.addHook('onRequest', function requestId(request, reply, next) {
    identify(request.raw, reply.raw, () => next())
  })
}

/**
 * Gives each request an id: in the response's field, for `requestIdentityOf(request)`, and in the context of everything
 * that the request starts (`getRequestId()`). An `onRequest` hook: register it first.
 * @throws HopwiseError `option-unknown`, `option-invalid`, as the rejection of `register`
 * @example await app.register(requestId, { trust: true })
 */
export const requestId = fastifyPlugin(plugin, { fastify: '5.x', name: '@hopwise/fastify/request-id' })
