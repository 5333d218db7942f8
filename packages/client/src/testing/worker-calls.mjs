// Makes the calls of a request's body, and answers what came of them: on workerd.
import { makeCalls } from './make-calls.mjs'

const worker = {
  async fetch(request) {
    return Response.json(await makeCalls(await request.json()))
  },
}
export { worker as default }
