/** For how long the server keeps idle connections. */
export const idleMs = 1_000

/** The event loop is blocked from so long before the idle deadline. */
export const beforeDeadlineMs = 400

/** The next requests are sent so long after the block began: 200 ms before the deadline. */
export const sentAfterMs = 200
