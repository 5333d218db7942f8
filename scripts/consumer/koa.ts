import Koa from 'koa'
import { memoryStore } from '@hopwise/core'
import { idempotent, idempotentRun, requestId } from '@hopwise/koa'

new Koa()
  .use(requestId({ trust: true }))
  .use(idempotent({ store: memoryStore(), principal: (context) => context.get('x-user') }))
  .use((context) => {
    context.body = { attempt: idempotentRun(context)?.attempt }
  })

// @ts-expect-error Not an option.
idempotent({ store: memoryStore(), scope: 'global', stor: 1 })
