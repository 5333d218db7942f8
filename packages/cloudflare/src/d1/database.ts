/** What the store needs of a `D1Database`. A session of D1 does not have it, nor a KV namespace. */
export interface D1DatabaseLike {
  prepare(query: string): D1StatementLike
  batch(statements: never[]): Promise<readonly D1ResultLike[]>
  exec(query: string): unknown
}

/** What the store needs of a `D1PreparedStatement`. */
export interface D1StatementLike {
  bind(...values: unknown[]): D1StatementLike
  run(): Promise<D1ResultLike>
}

/** What the store needs of a `D1Result`. */
export interface D1ResultLike {
  readonly results: readonly unknown[]
  readonly meta: { readonly changes: number }
}
