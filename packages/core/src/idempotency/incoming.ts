/** A request as plain data: what an adapter hands to the engine. `Native` is the framework's own request. */
export interface Incoming<Native> {
  readonly method: string
  /** Path and query exactly as received. */
  readonly target: string
  /** The route's pattern where the framework knows it, else the path without the query. */
  readonly route: string
  /** All values of a field, in order; `name` is in lower case. */
  readonly field: (name: string) => readonly string[]
  /**
   * The raw bytes of the body, called once and only for a keyed request. The handler must still get the same bytes.
   * Gives `'too-large'` where there are more than `limit`.
   */
  readonly body: (limit: number) => Promise<Uint8Array | 'too-large'>
  /** This request's id, kept with the record and told on a replay. */
  readonly requestId: string | undefined
  readonly native: Native
}
