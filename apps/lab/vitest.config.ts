import { mergeConfig } from 'vitest/config'
import base from '../../vitest.base.js'

/** One file after another: scenarios that share the cores would measure each other. */
export default mergeConfig(base, { test: { fileParallelism: false } })
