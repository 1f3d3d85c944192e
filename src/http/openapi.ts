/**
 * GET /openapi.json: the SCIM API, events and the admin API as an OpenAPI 3.1 document, generated from the definitions that
 * validation uses. Without authentication it contains only public information. With a tenant's token it also contains the
 * extension schemas of the tenant. The pages of the dashboard are not an API and not included.
 */
import { type Context, Hono } from 'hono'
import { publicOrigin } from '../edge/url.ts'
import type { HttpEnv } from '../runtime.ts'
import type { ResourceType } from '../scim/schema/definition.ts'
import { servedTypes } from '../scim/schema/group-membership.ts'
import { pluralOf } from '../scim/schema/resource-type.ts'
import { readAs } from '../storage/access/tokens.ts'
import { bearerAuth } from './bearer-auth.ts'
import { clientRequest } from './client-request.ts'
import { adminApi } from './openapi/admin-paths.ts'
import { DOCUMENTATION } from './openapi/documentation.ts'
import { eventSchemas, FEED_PATH_ITEM, WEBHOOKS } from './openapi/event-paths.ts'
import type { Json } from './openapi/json-schema.ts'
import { scimSchemas } from './openapi/messages.ts'
import { OAUTH_PATHS, OAUTH_SCHEMAS } from './openapi/oauth-paths.ts'
import { scimComponents, scimPaths } from './openapi/scim-paths.ts'
import { requireAccepted } from './profile.ts'
import { inTenant } from './tenant.ts'
import { EVENTS_PATH, TENANT_PATH, TOKEN_PATH } from './url.ts'

/**
 * The documents by resource types, without the server. Created on the first request, to keep cold starts short. As bytes,
 * because strangers may ask for them, and to write and to encode a document takes several milliseconds.
 */
const documents = new WeakMap<readonly ResourceType[], Uint8Array>()
const encoder = new TextEncoder()

export const openapi = new Hono<HttpEnv>()
  .get('/', (c, next) => (c.req.header('Authorization') === undefined ? shared(c) : next()))
  .get('/', clientRequest, bearerAuth, (c) =>
    inTenant(c, async () => {
      await readAs(c.get('tenant'), [])
      requireAccepted(c)
      const made = bytesOf(c.get('tenant').resourceTypes)
      return documentResponse(c, made, 'private, no-store')
    }),
  )

/** The document for requests without a token. */
function shared(c: Context<HttpEnv>): Response {
  const types = c.get('resourceTypes')
  const made = documents.get(types) ?? bytesOf(types)
  documents.set(types, made)
  return documentResponse(c, made, 'public, max-age=300')
}

/** @param made see `bytesOf` */
function documentResponse(c: Context<HttpEnv>, made: Uint8Array, cacheControl: string): Response {
  const headers = { 'Content-Type': 'application/json', 'Cache-Control': cacheControl, Vary: 'Authorization' }
  const servers = encoder.encode(`,"servers":${JSON.stringify([{ url: publicOrigin(c) }])}}`)
  const whole = new Uint8Array(made.length + servers.length)
  whole.set(made)
  whole.set(servers, made.length)
  return c.body(whole, 200, headers)
}

/** The bytes of the document up to its servers. */
function bytesOf(types: readonly ResourceType[]): Uint8Array {
  return encoder.encode(JSON.stringify(openapiDocument(types)).slice(0, -1))
}

/** The document without its servers. Paths are relative to the root of the app. */
function openapiDocument(types: readonly ResourceType[]): Json {
  const { parameters, responses, headers } = scimComponents()
  const admin = adminApi(types)
  return {
    openapi: '3.1.0',
    info: {
      title: 'scim-worker',
      version: '2.0',
      summary: 'A SCIM 2.0 directory (RFC 7643, RFC 7644, RFC 9865) and its administration',
      description:
        'The Tenant URL is /scim/v2 for every tenant: the token names the tenant. Attributes have x-scim-* keywords for the characteristics of RFC 7643 §7 that JSON Schema cannot express.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    tags: [...servedTypes(types).map(tagOf), ...TAGS.map(([name, description]) => ({ name, description }))],
    security: [{ bearerToken: [] }, { accessToken: [] }],
    paths: {
      ...scimPaths(TENANT_PATH, types),
      [EVENTS_PATH]: FEED_PATH_ITEM,
      ...OAUTH_PATHS,
      ...admin.paths,
    },
    webhooks: WEBHOOKS,
    components: {
      securitySchemes: {
        bearerToken: {
          type: 'http',
          scheme: 'bearer',
          description:
            'A token of a tenant, which an administrator generates: scim_<tenant>_<43 characters>.',
        },
        accessToken: {
          type: 'oauth2',
          description: 'An access token that the client gets for a secret.',
          flows: {
            clientCredentials: {
              tokenUrl: TOKEN_PATH,
              scopes: { scim: 'All that the client may do', 'scim:read': 'Reads only' },
            },
          },
        },
        clientSecret: { type: 'http', scheme: 'basic', description: 'The id of a client and its secret.' },
        adminToken: { type: 'http', scheme: 'bearer', description: 'ADMIN_TOKEN of the deployment.' },
      },
      schemas: { ...scimSchemas(types), ...eventSchemas(types), ...OAUTH_SCHEMAS, ...admin.schemas },
      parameters,
      responses: { ...responses, ...admin.responses },
      headers,
    },
  }
}

function tagOf(type: ResourceType): Json {
  return { name: pluralOf(type), description: DOCUMENTATION[type.schema.id]?.source ?? type.description }
}

const TAGS = [
  ['Search', 'Across resource types (RFC 7644 §3.4.2.1, §3.4.3), and /Me (§3.11)'],
  ['Bulk', 'RFC 7644 §3.7'],
  ['Discovery', 'RFC 7644 §4'],
  ['Events', 'The changes of the directory: a feed to read, and webhooks that push'],
  ['OAuth', 'RFC 6749 §4.4, RFC 8414'],
  ['Admin', 'Tenants, clients, their credentials, webhooks and the provisioning log'],
  ['Health', 'For load balancers and monitors'],
] as const
