/** The contract behind `@hopwise/core/fetch` as a worker, which serves one case after another, each as it is told. */
import { contractSetup } from '@hopwise/testkit/program'
import { awake, stay } from './awake.mjs'
import { fetchApp } from './fetch-app.mjs'

let app
const worker = {
  async fetch(request, _env, context) {
    stay(request, context)
    if (new URL(request.url).pathname !== '/control/setup') return app(request, context)
    app = fetchApp(awake(contractSetup(await request.text())))
    return new Response(null, { status: 204 })
  },
}

export { worker as default }
