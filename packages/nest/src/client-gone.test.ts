import { requestText, rawConnect } from '@hopwise/testkit/adapter'
import { Controller, Module, Post } from '@nestjs/common'
import { concatMap, delay, of, type Observable } from 'rxjs'
import { expect, test } from 'vitest'
import { HopwiseModule, Idempotent } from './index.js'
import { createApplication, platforms, start } from './testing/application.js'
import { post } from './testing/client.js'
import { testOptions } from './testing/options.js'

test.each(platforms)('%s: an Observable that Nest ends with its client leaves a key whose lease ends, and not one that is stuck', async (platform) => {
  let runs = 0
  let begun = (): void => {}
  const began = new Promise<void>((resolve) => {
    begun = resolve
  })

  @Controller()
  class Orders {
    @Post('orders')
    @Idempotent()
    create(): Observable<unknown> {
      runs++
      begun()
      return of(runs).pipe(concatMap((run) => of({ run }).pipe(delay(run === 1 ? 60_000 : 0))))
    }
  }

  @Module({ imports: [HopwiseModule.forRoot(testOptions({ lease: 300, onConflict: 'wait', waitAtMost: '10s' }))], controllers: [Orders] })
  class App {}

  const port = await start(await createApplication(platform, App))
  const client = await rawConnect(port)
  client.write(requestText('POST', '/orders', { 'idempotency-key': 'key-1', 'x-user': 'alice', 'content-type': 'application/json' }, '{"item":"tea"}'))
  await began
  client.destroy()
  // A retry that waits is let in when the lease is over; of one that is renewed for 15 min it would hear 409.
  const retry = await post(port, '/orders')
  expect([retry.status, retry.body.toString(), runs]).toEqual([201, '{"run":2}', 2])
})
