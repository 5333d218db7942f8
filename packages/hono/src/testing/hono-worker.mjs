/** The contract's app as a worker, which serves one case after another, each as it is told. */
import * as hopwise from '@hopwise/hono'
import { contractSetup } from '@hopwise/testkit/program'
import { awake, stay } from './awake.mjs'
import { contractApp } from './contract-app.mjs'

let app
const worker = {
  async fetch(request, env, context) {
    stay(request, context)
    if (new URL(request.url).pathname !== '/control/setup') return app.fetch(request, env, context)
    app = contractApp(awake(contractSetup(await request.text())), hopwise)
    return new Response(null, { status: 204 })
  },
}

export { worker as default }
