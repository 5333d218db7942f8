/**
 * The value below which a share of the values lies, between two of them where it falls there (type 7 of Hyndman and Fan).
 * @param share from 0 to 1; 0.5 is the median
 * @throws RangeError where there is no value
 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  const at = (sorted.length - 1) * share
  const [below, above] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]]
  if (below === undefined || above === undefined) throw new RangeError('a quantile of nothing')
  return below + (above - below) * (at - Math.floor(at))
}
