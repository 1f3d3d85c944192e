/**
 * Reading a SCIM request: query parameters to a projection, a page and a filter; the call that the
 * provider's operations take. And writing one resource.
 */
import type { Context } from 'hono'
import type { Call, Rendered } from '../provider/call.ts'
import type { HttpEnv } from '../runtime.ts'
import type { Filter } from '../scim/filter/ast.ts'
import { parseFilter } from '../scim/filter/parser.ts'
import { resolveFilter } from '../scim/filter/resolve.ts'
import { type PageRequest, parsePageRequest } from '../scim/list-response.ts'
import { type Projection, parseProjection } from '../scim/projection.ts'
import type { ResourceType } from '../scim/schema/definition.ts'
import { etag, isNotModified } from '../scim/version.ts'
import { scimJson } from './content-type.ts'

/** The path of the Tenant URL: the same for every tenant, the token names the tenant. */
export const TENANT_PATH = '/scim/v2'

export function tenantUrl(c: Context<HttpEnv>): string {
  return `${new URL(c.req.url).origin}${TENANT_PATH}`
}

export function callOf(c: Context<HttpEnv>): Call {
  return {
    db: c.get('db'),
    credentials: c.get('credentials'),
    tenantUrl: tenantUrl(c),
    requestId: c.get('requestId'),
    newId: c.env.newId,
  }
}

/** A list of attribute names, separated by commas (RFC 7644 §3.4.2.5). @returns undefined when not sent */
export function attributeNames(c: Context<HttpEnv>, parameter: 'attributes' | 'excludedAttributes') {
  const values = c.req.queries(parameter)
  if (values === undefined) return undefined
  const names = values.flatMap((value) => value.split(',')).map((name) => name.trim())
  // An empty parameter asks for nothing in particular, as if it had not been sent.
  const given = names.filter((name) => name !== '')
  return given.length === 0 ? undefined : given
}

export function projectionOf(c: Context<HttpEnv>, type: ResourceType): Projection {
  return parseProjection(attributeNames(c, 'attributes'), attributeNames(c, 'excludedAttributes'), type)
}

/** @throws {ScimError} invalidValue, invalidFilter */
export function listQueryOf(
  c: Context<HttpEnv>,
  type: ResourceType,
): { page: PageRequest; filter: Filter | undefined; projection: Projection } {
  const filter = c.req.query('filter')
  return {
    page: parsePageRequest(c.req.query('startIndex'), c.req.query('count')),
    filter:
      filter === undefined || filter.trim() === '' ? undefined : resolveFilter(parseFilter(filter), type),
    projection: projectionOf(c, type),
  }
}

/** One resource with its ETag and Location; 304 without a body when the client has this version. */
export function resourceResponse(
  c: Context<HttpEnv>,
  { resource, version, location }: Rendered,
  status: 200 | 201,
) {
  const headers = { ETag: etag(version), Location: location }
  const isGet = c.req.method === 'GET' || c.req.method === 'HEAD'
  if (isGet && isNotModified(c.req.header('If-None-Match'), version)) return c.body(null, 304, headers)
  return scimJson(c, resource, status, headers)
}
