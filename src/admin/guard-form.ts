/**
 * The form of the guard against unusual deprovisioning: the share is typed in percent.
 */
import type { DeprovisionThreshold } from '../scim/deprovisioning.ts'
import { AdminError } from './errors.ts'
import type { GuardFormValues } from './pages/settings.tsx'

/** @param guard as it is stored: JSON */
export function guardFormOf(guard: string | null): GuardFormValues {
  if (guard === null) return { share: '', count: '', windowMinutes: '' }
  const { share, count, windowMinutes } = JSON.parse(guard) as DeprovisionThreshold
  return {
    share: String(Number((share * 100).toFixed(4))),
    count: String(count),
    windowMinutes: String(windowMinutes),
  }
}

/** @returns null if all fields are empty @throws {AdminError} 400 */
export function parseGuardForm({
  share,
  count,
  windowMinutes,
}: GuardFormValues): DeprovisionThreshold | null {
  if ([share, count, windowMinutes].every((text) => text.trim() === '')) return null
  return {
    share:
      numberIn(share, 'share', 'a number above 0, at most 100', (value) => value > 0 && value <= 100) / 100,
    count: numberIn(count, 'count', 'an integer from 1', (value) => Number.isInteger(value) && value >= 1),
    windowMinutes: numberIn(
      windowMinutes,
      'windowMinutes',
      'an integer from 1 to 1,440',
      (value) => Number.isInteger(value) && value >= 1 && value <= 1_440,
    ),
  }
}

function numberIn(
  text: string,
  field: keyof GuardFormValues,
  allowed: string,
  isAllowed: (value: number) => boolean,
): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (isAllowed(value)) return value
  throw new AdminError(
    400,
    'invalid',
    `Must be ${allowed}. Leave all fields empty to turn the guard off.`,
    field,
  )
}
