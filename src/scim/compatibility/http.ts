/**
 * Deviations in the HTTP of a request or a response (RFC 7644 §3.1, §3.2). Each has one function, whose comment names the
 * client, what it sends or expects, and the source. Tested in test/http/profiles.test.ts.
 */
import { ScimError, shorten } from '../error.ts'
import type { Profile } from '../profile.ts'

/**
 * `readsEndpointsInAnyCase`: Microsoft's Postman collection requests `/users`, and Tenant URLs and paths are typed by
 * hand. Requests are routed before their tenant is known, so `requireExactPath` rejects them later for other profiles.
 *
 * @param path below the Tenant URL, such as `/users/2819c223`
 * @param endpoints such as `/Users`; distinct regardless of case
 * @returns the path with the endpoint spelled as in RFC 7644 §3.2
 * @see https://github.com/AzureAD/SCIMReferenceCode/issues/43
 */
export function endpointInAnyCase(path: string, endpoints: readonly string[]): string {
  if (
    endpoints.some((one) => path.startsWith(one) && (path.length === one.length || path[one.length] === '/'))
  )
    return path
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
 * `ignoresExtraSlashes`: Entra's samples and test collection request `/Users/?filter=…`, and a Tenant URL with a trailing
 * slash results in `//Users`. Otherwise paths are compared character by character (RFC 3986 §6.2).
 *
 * @param sent the path of the request
 * @param routed the normalized path by which the request was routed
 * @throws {ScimError} 404 if the profile does not allow the difference
 * @see https://github.com/AzureAD/SCIMReferenceCode/issues/44
 */
export function requireExactPath(sent: string, routed: string, { deviations }: Profile): void {
  if (sent === routed) return
  const plain = sent.replace(/\/{2,}/g, '/').replace(/\/$/, '')
  const isAllowed =
    (plain === sent || deviations.ignoresExtraSlashes) &&
    (plain === routed || deviations.readsEndpointsInAnyCase)
  if (isAllowed) return
  throw new ScimError(404, undefined, `endpoint ${shorten(sent)} not found; did you mean ${shorten(routed)}?`)
}

/**
 * `allowsMissingContentType`: scripts omit `Content-Type`. RFC 7644 §3.1 and §8.1 specify `application/scim+json`.
 *
 * @param type the media type of the request; undefined or empty if missing
 */
export function allowsMissingMediaType(type: string | undefined, { deviations }: Profile): boolean {
  return (type === undefined || type === '') && deviations.allowsMissingContentType
}

/**
 * `namesContentTypeWithoutBody`: the client of SCIM-SDK reports a 204 without a media type as a failure, because it
 * assumes that the response is not from a SCIM endpoint.
 *
 * @see https://github.com/Captain-P-Goldfish/SCIM-SDK
 */
export function contentTypeWithoutBody(type: string, { deviations }: Profile): Record<string, string> {
  return deviations.namesContentTypeWithoutBody ? { 'Content-Type': type } : {}
}

/**
 * `showsEmptyMembers`: a group without members has an empty list, as in the samples of Microsoft and Okta. authentik
 * compares members only if it finds a list, so it did not restore the members of an emptied group. According to RFC 7643
 * §2.5 an empty list is the same as no value, which is omitted.
 *
 * @see https://github.com/goauthentik/authentik/pull/23950
 */
export function emptyMembers({ deviations }: Profile): { readonly members?: readonly [] } {
  return deviations.showsEmptyMembers ? { members: [] } : {}
}

/** A token of this server as the whole value of the header. */
const BARE_TOKEN = /^(scim_[^\s]+) *$/

/**
 * `readsTokenWithoutScheme`: in the mode "HTTP Header", Okta sends the configured text as it is, so administrators who enter
 * only the token send no "Bearer" (RFC 6750 §2.1). Requests are authenticated before their tenant is known, so
 * `acceptsTokenWithoutScheme` decides later.
 *
 * @returns the token; undefined if the header has another form
 * @see https://help.sourcegraph.com/article/troubleshooting-scim-authentication-errors-with-okta
 */
export function tokenWithoutScheme(authorization: string): string | undefined {
  return BARE_TOKEN.exec(authorization)?.[1]
}

/** Whether the profile accepts the header, if it is a token without the word "Bearer". */
export function acceptsTokenWithoutScheme(authorization: string, { deviations }: Profile): boolean {
  return deviations.readsTokenWithoutScheme || tokenWithoutScheme(authorization) === undefined
}
