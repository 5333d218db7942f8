import { mergeConfig } from 'vitest/config'
import base from '../../vitest.base.js'

/** One file after another: the acts need the cores that they have. */
export default mergeConfig(base, { test: { fileParallelism: false } })
