/** What the cache needs of a `KVNamespace`. */
export interface KvNamespaceLike {
  get(key: string, type: 'arrayBuffer'): Promise<ArrayBuffer | null>
  put(key: string, value: Uint8Array<ArrayBuffer>, options: { readonly expirationTtl: number }): Promise<unknown>
  getWithMetadata(key: string, type: 'arrayBuffer'): Promise<unknown>
}
