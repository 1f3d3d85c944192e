/**
 * /ServiceProviderConfig, /ResourceTypes and /Schemas (RFC 7644 §4), generated from the definitions that validation uses.
 */
import { type Context, Hono } from 'hono'
import { publicOrigin } from '../edge/url.ts'
import type { HttpEnv } from '../runtime.ts'
import { type Complex, isComplex } from '../scim/comparison.ts'
import { notFound, ScimError, shorten } from '../scim/error.ts'
import { listResponse } from '../scim/list-response.ts'
import { SERVED_COMMON_ATTRIBUTES } from '../scim/schema/common-attributes.ts'
import type { Attribute, ResourceType, Schema } from '../scim/schema/definition.ts'
import { servedTypes } from '../scim/schema/group-membership.ts'
import { schemasOf } from '../scim/schema/resource-type.ts'
import { SERVICE_PROVIDER_CONFIG } from '../scim/schema/service-provider-config.ts'
import { RESOURCE_TYPE_SCHEMA, SCHEMA_SCHEMA } from '../scim/urn.ts'
import { readAs } from '../storage/access/tokens.ts'
import { bearerAuth } from './bearer-auth.ts'
import { scimJson } from './content-type.ts'
import { requireAccepted } from './profile.ts'
import { tenantUrl } from './request.ts'
import { inTenant } from './tenant.ts'
import { METADATA_PATH } from './url.ts'

export const discovery = new Hono<HttpEnv>()
  // RFC 7643 §5: "authenticationSchemes" SHOULD be accessible without prior authentication.
  .get('/ServiceProviderConfig', (c) => {
    refuseFilter(c)
    return scimJson(c, JSON.stringify(serviceProviderConfig(c)), 200)
  })
  .use(bearerAuth, async (c, next) => {
    refuseFilter(c)
    await inTenant(c, () => readAs(c.get('tenant'), []))
    requireAccepted(c)
    await next()
  })
  .get('/ResourceTypes', (c) => list(c, resourceTypes(c)))
  .get('/ResourceTypes/:id', (c) => one(c, 'ResourceType', resourceTypes(c)))
  .get('/Schemas', (c) => list(c, schemas(c)))
  .get('/Schemas/:id', (c) => one(c, 'Schema', schemas(c)))

function resourceTypes(c: Context<HttpEnv>): readonly Complex[] {
  return servedTypes(c.get('tenant').resourceTypes).map((type) => resourceType(type, tenantUrl(c)))
}

function schemas(c: Context<HttpEnv>): readonly Complex[] {
  const { resourceTypes: types } = c.get('tenant')
  const isBase = ({ id }: Schema) => types.some(({ schema }) => schema.id === id)
  return schemasOf(servedTypes(types)).map((schema) => {
    const common = isBase(schema) ? SERVED_COMMON_ATTRIBUTES : []
    return schemaResource({ ...schema, attributes: [...common, ...schema.attributes] }, tenantUrl(c))
  })
}

/** RFC 7644 §4: a request with a filter SHALL fail with 403, so that clients do not assume that it was applied. */
function refuseFilter(c: Context<HttpEnv>): void {
  if (c.req.query('filter') !== undefined)
    throw new ScimError(403, undefined, `${shorten(c.req.path)} does not support "filter"`)
}

function list(c: Context<HttpEnv>, resources: readonly Complex[]): Response {
  const page = {
    totalResults: resources.length,
    resources: resources.map((resource) => JSON.stringify(resource)),
  }
  return scimJson(c, listResponse({ ...page, startIndex: 1 }), 200)
}

function one(c: Context<HttpEnv>, type: string, resources: readonly Complex[]): Response {
  const id = c.req.param('id') ?? ''
  const resource = resources.find((candidate) => String(candidate.id).toLowerCase() === id.toLowerCase())
  if (resource === undefined) throw notFound(type, id)
  const { location } = isComplex(resource.meta) ? resource.meta : {}
  return scimJson(c, JSON.stringify(resource), 200, { Location: String(location) })
}

function serviceProviderConfig(c: Context<HttpEnv>): Complex {
  const meta = { resourceType: 'ServiceProviderConfig', location: `${tenantUrl(c)}/ServiceProviderConfig` }
  const authenticationSchemes = SERVICE_PROVIDER_CONFIG.authenticationSchemes.map((scheme) =>
    // A client finds the token endpoint there.
    scheme.type === 'oauth2' ? { ...scheme, documentationUri: `${publicOrigin(c)}${METADATA_PATH}` } : scheme,
  )
  return { ...SERVICE_PROVIDER_CONFIG, authenticationSchemes, meta }
}

function resourceType(
  { name, endpoint, description, schema, extensions }: ResourceType,
  base: string,
): Complex {
  return {
    schemas: [RESOURCE_TYPE_SCHEMA],
    id: name,
    name,
    description,
    endpoint,
    schema: schema.id,
    schemaExtensions: extensions.map((extension) => ({ schema: extension.id, required: false })),
    meta: { resourceType: 'ResourceType', location: `${base}/ResourceTypes/${name}` },
  }
}

function schemaResource({ id, name, description, attributes }: Schema, base: string): Complex {
  return {
    schemas: [SCHEMA_SCHEMA],
    id,
    name,
    description,
    attributes: attributes.map(attributeDefinition),
    meta: { resourceType: 'Schema', location: `${base}/Schemas/${id}` },
  }
}

/**
 * RFC 7643 §7: caseExact and uniqueness do not apply to complex and boolean attributes. The RFC has no characteristics for
 * the maximum length and number of values, so they are part of the description.
 */
function attributeDefinition(attribute: Attribute): Complex {
  const { caseExact, uniqueness, subAttributes, maxLength, maxElements, indexed: _, ...rest } = attribute
  const isText = rest.type !== 'complex' && rest.type !== 'boolean'
  const { mutability, description } = rest
  return {
    ...rest,
    description:
      mutability === 'readOnly'
        ? description
        : [description, ...limitsOf(attribute)].filter(Boolean).join(' '),
    ...(isText && { caseExact, uniqueness }),
    ...(subAttributes && { subAttributes: subAttributes.map(attributeDefinition) }),
  }
}

/** Sentences on the limits of a value. The format of a dateTime already limits its length. */
function limitsOf({ type, maxLength, maxElements }: Attribute): readonly string[] {
  return [
    ...(maxLength === undefined || type === 'dateTime' ? [] : [`At most ${maxLength} characters.`]),
    ...(maxElements === undefined ? [] : [`At most ${maxElements} values in a request.`]),
  ]
}
