/** The stores of the lab: where the keys live, and in which mode. */
export const backendNames: readonly string[] = ['redis', 'postgres', 'postgres-tx', 'sqlite', 'sqlite-tx']
