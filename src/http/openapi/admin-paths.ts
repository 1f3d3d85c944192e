/**
 * The paths and objects of the admin API, and of /healthz. Described here and served by src/admin, which
 * http may not import; the tests hold the two together.
 */
import { arrayOf, type Json, object, ref } from './json-schema.ts'

const TEXT = { type: 'string' } as const
const TIME = { type: 'string', format: 'date-time' } as const
const TIME_OR_NULL = { type: ['string', 'null'], format: 'date-time' } as const
const COUNT = { type: 'integer', minimum: 0 } as const

const ADMIN = '/admin/api'
const SECURITY = { security: [{ adminToken: [] }] } as const

const JSON_LINES = 'One record a line: users before groups before memberships.'
const LINES = { 'application/jsonl': { schema: TEXT } } as const

type Code = 400 | 401 | 404 | 408 | 409 | 413 | 429 | 503

export function adminPaths(): Json {
  return {
    [`${ADMIN}/tenants`]: {
      get: operation('listTenants', 'Lists the tenants', {
        responses: {
          200: json(
            'All tenants by id.',
            object({ tenants: arrayOf(ref('schemas', 'Tenant')) }, ['tenants']),
          ),
          ...errors(401, 429, 503),
        },
      }),
      post: operation('createTenant', 'Creates a tenant', {
        requestBody: body('TenantInput'),
        responses: {
          201: {
            ...json('Created.', ref('schemas', 'Tenant')),
            headers: { Location: { description: 'The path of the tenant.', schema: TEXT } },
          },
          ...errors(400, 401, 409, 408, 413, 429, 503),
        },
      }),
    },
    [`${ADMIN}/tenants/{id}`]: {
      parameters: [ref('parameters', 'TenantId')],
      get: operation('getTenant', 'Reads a tenant', {
        responses: { 200: json('As it is now.', ref('schemas', 'Tenant')), ...errors(401, 404, 429, 503) },
      }),
      patch: operation('updateTenant', 'Changes name, group limit, and whether names of groups are unique', {
        requestBody: body('TenantChange'),
        responses: {
          200: json('As it is now.', ref('schemas', 'Tenant')),
          ...errors(400, 401, 404, 408, 409, 413, 429, 503),
        },
      }),
      delete: operation('deleteTenant', 'Deletes a tenant with all that it holds', {
        responses: { 204: { description: 'Deleted.' }, ...errors(401, 404, 429, 503) },
      }),
    },
    [`${ADMIN}/tenants/{id}/tokens`]: {
      parameters: [ref('parameters', 'TenantId')],
      get: operation('listTokens', 'Lists the tokens of a tenant', {
        responses: {
          200: json('All tokens.', object({ tokens: arrayOf(ref('schemas', 'Token')) }, ['tokens'])),
          ...errors(401, 404, 429, 503),
        },
      }),
      post: operation('createToken', 'Generates a token', {
        description: 'The only answer that ever holds the token: it is stored as a hash.',
        requestBody: body('TokenInput'),
        responses: {
          201: json('Generated.', ref('schemas', 'NewToken')),
          ...errors(400, 401, 404, 408, 413, 429, 503),
        },
      }),
    },
    [`${ADMIN}/tenants/{id}/tokens/{tokenId}`]: {
      parameters: [
        ref('parameters', 'TenantId'),
        { name: 'tokenId', in: 'path', required: true, schema: TEXT },
      ],
      delete: operation('revokeToken', 'Revokes a token', {
        responses: {
          204: { description: 'Revoked: it opens nothing from the next request on.' },
          ...errors(401, 404, 429, 503),
        },
      }),
    },
    [`${ADMIN}/tenants/{id}/log`]: {
      parameters: [ref('parameters', 'TenantId')],
      get: operation('listLog', 'Reads the provisioning log', {
        parameters: [
          query('cursor', TEXT, '"nextCursor" of an answer.'),
          query('resourceType', { ...TEXT, enum: ['User', 'Group'] }, 'Of the resource that was written.'),
          query('outcome', { ...TEXT, enum: ['accepted', 'refused'] }, 'Whether the write was done.'),
          query('q', TEXT, 'A text in the name or id of the resource, the detail or the request id.'),
        ],
        responses: {
          200: json(
            'A page, newest first. One with filters may hold few entries, or none: as long as "nextCursor" is not null, older ones are to be looked at.',
            object(
              { entries: arrayOf(ref('schemas', 'LogEntry')), nextCursor: { type: ['string', 'null'] } },
              ['entries', 'nextCursor'],
            ),
          ),
          ...errors(400, 401, 404, 429, 503),
        },
      }),
    },
    [`${ADMIN}/tenants/{id}/export`]: {
      parameters: [ref('parameters', 'TenantId')],
      get: operation('exportTenant', 'Exports users, groups and memberships', {
        responses: { 200: { description: JSON_LINES, content: LINES }, ...errors(401, 404, 429, 503) },
      }),
    },
    [`${ADMIN}/tenants/{id}/import`]: {
      parameters: [ref('parameters', 'TenantId')],
      post: operation('importTenant', 'Imports an export into an empty tenant', {
        requestBody: { required: true, description: JSON_LINES, content: LINES },
        responses: {
          200: json('How many records of each kind were written.', ref('schemas', 'Imported')),
          ...errors(400, 401, 404, 409, 408, 413, 429, 503),
        },
      }),
    },
    '/healthz': {
      get: {
        tags: ['Health'],
        operationId: 'getHealth',
        summary: 'Tells whether the database answers and takes writes',
        security: [],
        responses: {
          200: json('It does.', object({ status: { const: 'ok' } }, ['status'])),
          503: json('It does not.', object({ status: { const: 'unavailable' } }, ['status'])),
        },
      },
    },
  }
}

export function adminComponents(): { schemas: Json; parameters: Json; responses: Json } {
  return {
    schemas: adminSchemas(),
    parameters: {
      TenantId: {
        name: 'id',
        in: 'path',
        required: true,
        schema: TEXT,
        description: 'The id of the tenant.',
        example: 'default',
      },
    },
    responses: Object.fromEntries(
      Object.values(RESPONSES).map(([name, description]) => [
        name,
        json(description, ref('schemas', 'AdminError')),
      ]),
    ),
  }
}

const RESPONSES: Record<Code, readonly [name: string, description: string]> = {
  400: ['AdminBadRequest', 'A field is not as it must be; "field" names it.'],
  401: ['AdminUnauthorized', 'ADMIN_TOKEN is needed.'],
  404: ['AdminNotFound', 'There is no such tenant or token.'],
  408: ['AdminTimeout', 'The body did not arrive in time.'],
  409: ['AdminConflict', 'The id is in use, the tenant is not empty, or names of groups are not unique.'],
  413: ['AdminTooLarge', 'The body is too large.'],
  429: ['AdminTooManyRequests', 'Too many refused tokens from this address, or too many bytes under way.'],
  503: ['AdminUnavailable', 'The database does not answer, or ADMIN_TOKEN is not set.'],
}

function errors(...codes: readonly Code[]): Json {
  return Object.fromEntries(codes.map((code) => [code, ref('responses', RESPONSES[code][0])]))
}

function adminSchemas(): Json {
  const tenant = {
    id: { ...TEXT, pattern: '^[a-z][a-z0-9-]{0,39}$' },
    name: { ...TEXT, maxLength: 100 },
    groupLimit: COUNT,
    uniqueGroupNames: {
      type: 'boolean',
      description:
        'Whether no two groups share a displayName, without regard to case. True for a new tenant.',
    },
  }
  const token = {
    id: TEXT,
    name: TEXT,
    scope: { ...TEXT, enum: ['provision', 'read'] },
    createdAt: TIME,
    expiresAt: TIME_OR_NULL,
  }
  const { id: _, ...change } = tenant
  return {
    Tenant: object(
      { ...tenant, userCount: COUNT, activeUserCount: COUNT, groupCount: COUNT, createdAt: TIME },
      [...Object.keys(tenant), 'userCount', 'activeUserCount', 'groupCount', 'createdAt'],
      true,
    ),
    TenantInput: {
      ...object(tenant, ['id', 'name']),
      examples: [{ id: 'acme', name: 'Acme Corp', groupLimit: 200 }],
    },
    TenantChange: { ...object(change), examples: [{ groupLimit: 500 }] },
    Token: object(
      { ...token, lastUsedAt: TIME_OR_NULL, revokedAt: TIME_OR_NULL },
      ['id', 'name', 'scope', 'createdAt', 'expiresAt', 'lastUsedAt', 'revokedAt'],
      true,
    ),
    TokenInput: {
      ...object(
        { name: token.name, scope: { ...token.scope, default: 'provision' }, expiresAt: TIME_OR_NULL },
        ['name'],
      ),
      examples: [{ name: 'Microsoft Entra', scope: 'provision', expiresAt: null }],
    },
    NewToken: object(
      { ...token, tenantUrl: { ...TEXT, format: 'uri' }, token: { ...TEXT, pattern: '^scim_' } },
      ['id', 'name', 'scope', 'createdAt', 'expiresAt', 'tenantUrl', 'token'],
      true,
    ),
    Imported: object(
      {
        imported: object(
          { user: COUNT, group: COUNT, membership: COUNT },
          ['user', 'group', 'membership'],
          true,
        ),
      },
      ['imported'],
      true,
    ),
    LogEntry: logEntry(),
    AdminError: object(
      { error: object({ code: TEXT, message: TEXT, field: TEXT }, ['code', 'message'], true) },
      ['error'],
      true,
    ),
  }
}

function logEntry(): Json {
  const textOrNull = { type: ['string', 'null'] }
  return object(
    {
      id: TEXT,
      time: TIME,
      tokenName: textOrNull,
      action: {
        ...TEXT,
        enum: ['create', 'update', 'disable', 'enable', 'delete', 'add member', 'remove member'],
      },
      outcome: { ...TEXT, enum: ['accepted', 'refused'] },
      resourceType: { ...TEXT, enum: ['User', 'Group'] },
      resourceId: textOrNull,
      resourceName: textOrNull,
      status: { type: 'integer' },
      scimType: textOrNull,
      detail: textOrNull,
      repeated: {
        ...COUNT,
        description:
          'More refused writes like this, of the same minute and token, without an entry of their own.',
      },
      changes: arrayOf(object({ attribute: TEXT, old: {}, new: {} }, ['attribute'])),
      ignored: arrayOf(TEXT),
      requestId: TEXT,
    },
    [
      'id',
      'time',
      'action',
      'outcome',
      'resourceType',
      'resourceId',
      'resourceName',
      'status',
      'repeated',
      'changes',
      'ignored',
      'requestId',
    ],
  )
}

function operation(operationId: string, summary: string, rest: Json): Json {
  return { tags: ['Admin'], operationId, summary, ...SECURITY, ...rest }
}

function query(name: string, schema: Json, description: string): Json {
  return { name, in: 'query', schema, description }
}

function json(description: string, schema: Json): Json {
  return { description, content: { 'application/json': { schema } } }
}

function body(schema: string): Json {
  return { required: true, content: { 'application/json': { schema: ref('schemas', schema) } } }
}
