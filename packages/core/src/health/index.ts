/** Health checks: which path is one, and what it is answered with. */
export { createHealth, type Health, type HealthAnswer, type HealthOptions } from './health.js'
