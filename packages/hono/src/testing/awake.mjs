/**
 * The gates of the contract are promises that one request waits for and another one resolves. workerd has two conditions
 * for that, which handlers that wait for I/O never meet.
 */

/** A request that waits for nothing else is ended ("the script will never generate a response"): so a timer runs meanwhile. */
export function awake(setup) {
  const routes = setup.routes.map((route) => ({
    ...route,
    handle: async (input) => {
      const timer = setInterval(() => {}, 100)
      try {
        return await route.handle(input)
      } finally {
        clearInterval(timer)
      }
    },
  }))
  return { ...setup, routes }
}

/**
 * A promise belongs to the request that made it, and wakes nobody once that one is gone: so control requests, which may
 * make a gate, stay for longer than any case. All other requests live for as long as the adapter sees to it.
 */
export function stay(request, context) {
  if (new URL(request.url).pathname.startsWith('/control/')) context.waitUntil(new Promise((resolve) => setTimeout(resolve, 25_000)))
}
