/** The stores of the lab: where the keys live, and in which mode. */
export const backendNames: readonly string[] = ['redis', 'postgres', 'postgres-tx', 'sqlite', 'sqlite-tx']

/** Which stores a scenario runs on: those that were named, or all. */
export const storeOption = { kind: 'words', allowed: backendNames, about: 'only this store; may be said several times' } as const
