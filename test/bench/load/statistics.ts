/** Statistics of repeated measurements; NaN without values. */

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** The value below which a given share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const at = share * (sorted.length - 1)
  const below = sorted[Math.floor(at)] ?? Number.NaN
  const above = sorted[Math.ceil(at)] ?? Number.NaN
  return below + (above - below) * (at - Math.floor(at))
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: quantile(values, 0.5), min: quantile(values, 0), max: quantile(values, 1) }
}

/**
 * The ratios of two series of measurements, computed for each round, because disturbances of a round affect both
 * values.
 */
export function ratiosOf(values: readonly number[], bases: readonly number[]): readonly number[] {
  return values.map((value, round) => value / (bases[round] ?? Number.NaN))
}
