/** Durations on the command line: `90s`, `40m`, `6h`, `28d`. Pure. */
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../clock.ts'
import { type OptionValues, textOption } from './options.ts'
import { UsageError } from './usage-error.ts'

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS }

/**
 * Returns milliseconds.
 * @throws {UsageError}
 */
export function durationOption(values: OptionValues, name: string): number | undefined {
  const text = textOption(values, name)
  return text === undefined ? undefined : parseDuration(text, name)
}

/**
 * Returns milliseconds, negative for a duration with a minus sign.
 * @throws {UsageError}
 */
export function signedDurationOption(values: OptionValues, name: string): number | undefined {
  const text = textOption(values, name)
  if (text === undefined) return undefined
  return text.startsWith('-') ? -parseDuration(text.slice(1), name) : parseDuration(text, name)
}

function parseDuration(text: string, name: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? []
  const factor = unit === undefined ? undefined : UNITS[unit]
  if (factor === undefined)
    throw new UsageError(`--${name} must be a duration such as 30s, 40m, 6h or 28d, got "${text}"`)
  return Number(number) * factor
}
