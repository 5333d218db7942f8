import { openOrders } from '../api/orders-database.js'

/** What the database of one side holds, looked at from outside of the API. */
export interface Ledger {
  /** Orders whose reference begins with `prefix`, and how many of them repeat another one's. */
  count(prefix: string): { readonly orders: number; readonly duplicates: number }
  close(): void
}

/** Opens the ledger of a side. */
export function openLedger(path: string): Ledger {
  const database = openOrders(path)
  const counts = database.prepare('SELECT count(*) AS orders, count(DISTINCT reference) AS unique_orders FROM orders WHERE substr(reference, 1, length(?)) = ?')
  return {
    count: (prefix) => {
      const { orders, unique_orders } = counts.get(prefix, prefix) as { orders: number; unique_orders: number }
      return { orders, duplicates: orders - unique_orders }
    },
    close: () => database.close(),
  }
}
