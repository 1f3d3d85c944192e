/**
 * Reads the parts of a SCIM request: query parameters, preconditions, and the Call for the provider. Writes the response
 * with one resource or a list.
 */
import type { Context } from 'hono'
import { publicOrigin } from '../edge/url.ts'
import type { Call, Rendered } from '../provider/call.ts'
import { listResources } from '../provider/list.ts'
import type { HttpEnv } from '../runtime.ts'
import { contentTypeWithoutBody, tokenWithoutScheme } from '../scim/compatibility/http.ts'
import { requireNames, requireOneProjection } from '../scim/compatibility/lists.ts'
import { MAX_SEARCH_BODY_BYTES } from '../scim/limits.ts'
import { listResponse } from '../scim/list-response.ts'
import { type Projection, parseProjection } from '../scim/projection.ts'
import type { ResourceType } from '../scim/schema/definition.ts'
import { type ListParameters, parseListRequest, parseSearchRequest } from '../scim/search-request.ts'
import { etag, isNotModified, type Preconditions, requirePreconditions } from '../scim/version.ts'
import type { StoredResourceType } from '../storage/tables/resource-tables.ts'
import { noBody, readBody, SCIM_JSON, scimJson } from './content-type.ts'
import { profileOf } from './profile.ts'
import { TENANT_PATH } from './url.ts'
import { workOf } from './work.ts'

/** The Tenant URL, which is the same for every tenant. */
export function tenantUrl(c: Context<HttpEnv>): string {
  return `${publicOrigin(c)}${TENANT_PATH}`
}

/** What an operation of provider/ needs of the request. */
export function callOf(c: Context<HttpEnv>): Call {
  return {
    tenant: c.get('tenant'),
    tenantUrl: tenantUrl(c),
    requestId: c.get('requestId'),
    newId: c.env.newId,
    keepsDeleted: c.env.settings.tombstoneDays > 0,
    work: workOf(c),
  }
}

/** The resource type with that name, which exists because its endpoint is mounted. */
export function typeNamed(c: Context<HttpEnv>, name: string): StoredResourceType {
  const type = c.get('tenant').resourceTypes.find((candidate) => candidate.name === name)
  if (type === undefined) throw new Error(`the tenant has no resource type "${name}"`)
  return type
}

/** The writes of a resource type, from the parsed JSON body to the response. */
export interface ResourceWrites {
  create(c: Context<HttpEnv>, type: StoredResourceType, body: unknown): Promise<Response>
  replace(c: Context<HttpEnv>, type: StoredResourceType, id: string, body: unknown): Promise<Response>
  patch(c: Context<HttpEnv>, type: StoredResourceType, id: string, body: unknown): Promise<Response>
  delete(c: Context<HttpEnv>, type: StoredResourceType, id: string): Promise<Response>
}

/** The id in the path. Hono infers its type only for inline handlers. */
export function idOf(c: Context<HttpEnv>): string {
  return c.req.param('id') ?? ''
}

/** The bearer token of the request (RFC 6750 §2.1). @returns undefined if there is none */
export function bearerToken(c: Context<HttpEnv>): string | undefined {
  const header = c.req.header('Authorization') ?? ''
  return /^Bearer +([^\s]+) *$/i.exec(header)?.[1] ?? tokenWithoutScheme(header)
}

/** The values of each query parameter. */
type Query = Readonly<Record<string, readonly string[] | undefined>>

/** The parameters "attributes" and "excludedAttributes" (RFC 7644 §3.4.2.5); undefined if not sent. */
export function attributeNames(c: Context<HttpEnv>, query: Query = c.req.queries()) {
  return {
    attributes: namesIn(c, query, 'attributes'),
    excludedAttributes: namesIn(c, query, 'excludedAttributes'),
  }
}

/** A comma-separated list of attribute names. */
function namesIn(c: Context<HttpEnv>, query: Query, parameter: 'attributes' | 'excludedAttributes') {
  const values = query[parameter]
  if (values === undefined) return undefined
  const names = values.flatMap((value) => value.split(',')).map((name) => name.trim())
  requireNames(parameter, names, profileOf(c))
  const given = names.filter((name) => name !== '')
  return given.length === 0 ? undefined : given
}

/** The attributes that the query of the request asks for. @throws {ScimError} 400 */
export function projectionOf(c: Context<HttpEnv>, type: ResourceType): Projection {
  const { attributes, excludedAttributes: excluded } = attributeNames(c)
  requireOneProjection(attributes, excluded, profileOf(c))
  return parseProjection(attributes, excluded, type)
}

/** The query parameters of a GET (RFC 7644 §3.4.2). */
export function listParameters(c: Context<HttpEnv>): ListParameters {
  const query: Query = c.req.queries()
  // The first value counts.
  return {
    filter: query.filter?.[0],
    sortBy: query.sortBy?.[0],
    sortOrder: query.sortOrder?.[0],
    startIndex: query.startIndex?.[0],
    count: query.count?.[0],
    cursor: query.cursor?.[0],
    ...attributeNames(c, query),
  }
}

/** The same of a search, which has them in its body (RFC 7644 §3.4.3). */
export async function searchParameters(c: Context<HttpEnv>): Promise<ListParameters> {
  return parseSearchRequest(await readBody(c, MAX_SEARCH_BODY_BYTES), profileOf(c))
}

/** The response to a list request. */
export async function listOf(
  c: Context<HttpEnv>,
  parameters: ListParameters,
  types: readonly StoredResourceType[],
): Promise<Response> {
  const page = await listResources(callOf(c), parseListRequest(parameters, types, profileOf(c)))
  return scimJson(c, listResponse(page), 200)
}

/** The preconditions of the request (RFC 7644 §3.14). */
export function preconditionsOf(c: Context<HttpEnv>): Preconditions {
  return { ifMatch: c.req.header('If-Match'), ifNoneMatch: c.req.header('If-None-Match') }
}

/** True for `Prefer: handling=strict` (RFC 7240 §4.4), which requests an atomic PATCH: see compatibility/disabling.ts. */
export function prefersStrict(c: Context<HttpEnv>): boolean {
  return /(?:^|[,;])\s*handling\s*=\s*"?strict"?\s*(?:[,;]|$)/i.test(c.req.header('Prefer') ?? '')
}

/**
 * The response with one resource, its ETag, its Location, and "meta.location" as Content-Location (RFC 7643 §3.1). A GET
 * gets 304 without a body if the client already has the version. 204 if the client did not ask for a body.
 */
export function resourceResponse(
  c: Context<HttpEnv>,
  { json, version, location }: Rendered,
  status: 200 | 201,
): Response {
  // Nobody asked for the body.
  if (json === undefined)
    return noBody(c, 204, { ETag: etag(version), ...contentTypeWithoutBody(SCIM_JSON, profileOf(c)) })
  const headers = { ETag: etag(version), Location: location, 'Content-Location': location }
  const isGet = c.req.method === 'GET' || c.req.method === 'HEAD'
  if (isGet) {
    const { ifMatch, ifNoneMatch } = preconditionsOf(c)
    requirePreconditions({ ifMatch }, version)
    if (isNotModified(ifNoneMatch, version)) return noBody(c, 304, headers)
  }
  return scimJson(c, json, status, headers)
}
