/**
 * Deviations in a bulk request (RFC 7644 §3.7). One named function for each, with what is sent, by whom, and where that
 * is documented or was seen. test/scim/compatibility/bulk.test.ts has the cases.
 */
import type { Profile } from '../profile.ts'

/** `readsMethodInAnyCase`: methods of HTTP are in upper case (RFC 9110 §9.1), and generated clients write `post`. */
export function upperCaseMethod(method: string, { deviations }: Profile): string {
  return deviations.readsMethodInAnyCase ? method.toUpperCase() : method
}

/**
 * `readsZeroAsNoErrorLimit`: clients that hold `failOnErrors` as a plain integer send 0 where nobody set a limit, and
 * WSO2 Charon reads it so. RFC 7644 §3.7 does not say what 0 means, and null is the same as none (RFC 7643 §2.5).
 *
 * @returns undefined for no limit, or the value as it was
 * @see https://github.com/wso2/charon
 */
export function errorLimit(failOnErrors: unknown, { deviations }: Profile): unknown {
  if (failOnErrors === null) return undefined
  return failOnErrors === 0 && deviations.readsZeroAsNoErrorLimit ? undefined : failOnErrors
}

/** `readsEmptyTextAsNoBulkId`: serialisers write "" for a `bulkId` or a `version` that is not set. */
export function isNotSet(value: unknown, { deviations }: Profile): boolean {
  return value === undefined || value === null || (value === '' && deviations.readsEmptyTextAsNoBulkId)
}
