export { connectionDecision, jitteredAge, type ConnectionView } from './connection.js'
export { farewellDelay, shouldShed } from './ending.js'
export { planDrain, type DrainMode, type DrainOptions, type DrainPlan } from './plan.js'
export { drainStep, type DrainPhase, type DrainStep, type DrainView } from './step.js'
