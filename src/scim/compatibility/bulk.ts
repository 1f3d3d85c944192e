/**
 * Deviations in a bulk request (RFC 7644 §3.7). Each has one function, whose comment names the client, what it sends, and
 * the source. Tested in test/scim/compatibility/bulk.test.ts.
 */
import type { Profile } from '../profile.ts'

/** `readsMethodInAnyCase`: HTTP methods are case-sensitive (RFC 9110 §9.1), but generated clients send `post`. */
export function upperCaseMethod(method: string, { deviations }: Profile): string {
  return deviations.readsMethodInAnyCase ? method.toUpperCase() : method
}

/**
 * `readsZeroAsNoErrorLimit`: clients that store `failOnErrors` as an integer send 0 for no limit, and WSO2 Charon accepts
 * that. RFC 7644 §3.7 does not define 0. Null means no value (RFC 7643 §2.5).
 *
 * @returns undefined for no limit, otherwise the unchanged value
 * @see https://github.com/wso2/charon
 */
export function errorLimit(failOnErrors: unknown, { deviations }: Profile): unknown {
  if (failOnErrors === null) return undefined
  return failOnErrors === 0 && deviations.readsZeroAsNoErrorLimit ? undefined : failOnErrors
}

/** `readsEmptyTextAsNoBulkId`: serializers write "" for a missing `bulkId` or `version`. */
export function isNotSet(value: unknown, { deviations }: Profile): boolean {
  return value === undefined || value === null || (value === '' && deviations.readsEmptyTextAsNoBulkId)
}
