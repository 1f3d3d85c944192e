/**
 * Deviations in the HTTP of a request or an answer (RFC 7644 §3.1, §3.2). One named function for each, with what is sent
 * or expected, by whom, and where that is documented or was seen. test/http/profiles.test.ts has the cases.
 */
import { ScimError, shorten } from '../error.ts'
import type { Profile } from '../profile.ts'

/**
 * `readsEndpointsInAnyCase`: Microsoft's Postman collection asks for `/users`, and Tenant URLs and paths are typed by
 * hand. Requests are routed before their tenant is known, so `requireExactPath` refuses them for the others.
 *
 * @param path below the Tenant URL, such as `/users/2819c223`
 * @param endpoints such as `/Users`; no two differ in case alone
 * @returns the path with the endpoint in the spelling of RFC 7644 §3.2
 * @see https://github.com/AzureAD/SCIMReferenceCode/issues/43
 */
export function endpointInAnyCase(path: string, endpoints: readonly string[]): string {
  const [, name = ''] = path.split('/', 2)
  const lower = `/${name.toLowerCase()}`
  const endpoint = endpoints.find((one) => one.toLowerCase() === lower)
  return endpoint === undefined ? path : `${endpoint}${path.slice(1 + name.length)}`
}

/** `readsEndpointsInAnyCase` for the path of an operation in a bulk request. */
export function endpointOfOperation(
  path: string,
  endpoints: readonly string[],
  { deviations }: Profile,
): string {
  return deviations.readsEndpointsInAnyCase ? endpointInAnyCase(path, endpoints) : path
}

/**
 * `ignoresExtraSlashes`: Entra's samples and test collection ask for `/Users/?filter=…`, and a Tenant URL with a slash
 * at its end makes `//Users`. A path is compared character by character (RFC 3986 §6.2).
 *
 * @param sent the path of the request
 * @param routed the path that it was routed by
 * @throws {ScimError} 404 when the two differ in what the profile does not allow
 * @see https://github.com/AzureAD/SCIMReferenceCode/issues/44
 */
export function requireExactPath(sent: string, routed: string, { deviations }: Profile): void {
  if (sent === routed) return
  const plain = sent.replace(/\/{2,}/g, '/').replace(/\/$/, '')
  const isAllowed =
    (plain === sent || deviations.ignoresExtraSlashes) &&
    (plain === routed || deviations.readsEndpointsInAnyCase)
  if (isAllowed) return
  throw new ScimError(
    404,
    undefined,
    `there is no endpoint ${shorten(sent)}; did you mean ${shorten(routed)}`,
  )
}

/**
 * `allowsMissingContentType`: scripts leave `Content-Type` out. RFC 7644 §3.1 and §8.1 have `application/scim+json`.
 *
 * @param type the media type of the request, undefined or empty when there is none
 */
export function allowsMissingMediaType(type: string | undefined, { deviations }: Profile): boolean {
  return (type === undefined || type === '') && deviations.allowsMissingContentType
}

/**
 * `namesContentTypeWithoutBody`: without a media type, the client of SCIM-SDK believes that a 204 is not from a SCIM
 * endpoint, and reports that the change failed.
 *
 * @see https://github.com/Captain-P-Goldfish/SCIM-SDK
 */
export function contentTypeWithoutBody(type: string, { deviations }: Profile): Record<string, string> {
  return deviations.namesContentTypeWithoutBody ? { 'Content-Type': type } : {}
}

/**
 * `showsEmptyMembers`: a group without members shows an empty list, as the samples of Microsoft and Okta do. authentik
 * compares members only where it finds a list, so it never refilled a group that was emptied here. RFC 7643 §2.5 makes an
 * empty list the same as none, which is left out.
 *
 * @see https://github.com/goauthentik/authentik/pull/23950
 */
export function emptyMembers({ deviations }: Profile): { readonly members?: readonly [] } {
  return deviations.showsEmptyMembers ? { members: [] } : {}
}
