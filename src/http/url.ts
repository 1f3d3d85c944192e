/**
 * The two parts of a request's address that are needed, cut out of the text: the runtime has parsed and normalised
 * it already, and to do so again takes longer than all the routing.
 */

/** The path of the Tenant URL: the same for every tenant, the token names the tenant. */
export const TENANT_PATH = '/scim/v2'

/** By their names in lower case. */
const ENDPOINTS: ReadonlyMap<string, string> = new Map(
  ['Users', 'Groups', 'Schemas', 'ResourceTypes', 'ServiceProviderConfig', 'Bulk', 'Me'].map((name) => [
    name.toLowerCase(),
    name,
  ]),
)

/** `https://scim.example` of `https://scim.example/scim/v2/Users?count=1`. */
export function originOf(url: string): string {
  return url.slice(0, startOfPath(url))
}

/**
 * The path without double and trailing slashes: Tenant URLs are typed by hand, with and without them. Percent
 * signs stay as they are.
 */
export function forgivingPath(url: string): string {
  const start = startOfPath(url)
  const end = url.slice(start).search(/[?#]/)
  const path = url.slice(start, end < 0 ? undefined : start + end).replace(/\/{2,}/g, '/')
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}

/**
 * The path below which SCIM is, with the endpoint in the spelling of RFC 7644 §3.2. Everything after it stays as it is.
 */
export function routePath(url: string): string {
  const path = forgivingPath(url)
  if (!path.startsWith(`${TENANT_PATH}/`)) return path
  return `${TENANT_PATH}${endpointInAnyCase(path.slice(TENANT_PATH.length))}`
}

/**
 * Endpoints are sent in other cases than that of the RFC: Microsoft's Postman collection asks for `/users`, and Tenant
 * URLs and paths are typed by hand. RFC 7644 §3.2 says nothing of case, and no two endpoints differ in it alone.
 *
 * @param path below the Tenant URL, such as `/users/2819c223`
 * @see https://github.com/AzureAD/SCIMReferenceCode/issues/43
 */
export function endpointInAnyCase(path: string): string {
  const [, name = ''] = path.split('/', 2)
  const endpoint = ENDPOINTS.get(name.toLowerCase())
  return endpoint === undefined ? path : `/${endpoint}${path.slice(1 + name.length)}`
}

/** After `http://` or `https://` and at least one character. */
function startOfPath(url: string): number {
  return url.indexOf('/', 'https://'.length)
}
