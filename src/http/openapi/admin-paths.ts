/**
 * The paths and objects of the admin API, and of /healthz. Described here and served by src/admin, which
 * http may not import; the tests hold the two together.
 */
import type { ResourceType } from '../../scim/schema/definition.ts'
import { arrayOf, type Json, object, ref } from './json-schema.ts'

const TEXT = { type: 'string' } as const
const TIME = { type: 'string', format: 'date-time' } as const
const TIME_OR_NULL = { type: ['string', 'null'], format: 'date-time' } as const
const COUNT = { type: 'integer', minimum: 0 } as const

const ADMIN = '/admin/api'
const SECURITY = { security: [{ adminToken: [] }] } as const

const JSON_LINES =
  'One record a line: users before groups before memberships, then a line that counts them, with the SHA-256 of all before it.'
const STATES = ['ready', 'importing', 'undoing', 'deleting'] as const
const LINES = { 'application/jsonl': { schema: TEXT } } as const

type Code = 400 | 401 | 404 | 408 | 409 | 413 | 429 | 503

export function adminPaths(types: readonly ResourceType[]): Json {
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
        description: 'From the first moment on, no token of the tenant is valid and none can be made.',
        responses: {
          202: json(
            'More than one request deletes: repeat it, or the hourly timer goes on.',
            ref('schemas', 'Going'),
          ),
          204: { description: 'Deleted.' },
          ...errors(401, 404, 429, 503),
        },
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
          ...errors(400, 401, 404, 408, 409, 413, 429, 503),
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
          query(
            'resourceType',
            { ...TEXT, enum: types.map(({ name }) => name) },
            'Of the resource that was written.',
          ),
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
        responses: {
          200: { description: JSON_LINES, content: LINES },
          ...errors(401, 404, 409, 429, 503),
        },
      }),
    },
    [`${ADMIN}/tenants/{id}/import`]: {
      parameters: [ref('parameters', 'TenantId')],
      post: operation('importTenant', 'Imports an export into an empty tenant', {
        description:
          'Until the last line is in, the state of the tenant is "importing" and its clients are answered 503. After an ' +
          'interruption the same file, or the rest of it, goes on; DELETE takes the import back.',
        parameters: [
          query(
            'from',
            { type: 'integer', minimum: 1 },
            'The line of the file that the body begins with: 1, or the next.',
          ),
          query(
            'end',
            { ...TEXT, enum: ['required', 'later', 'missing'] },
            '"later": the body is a part, and more comes. "missing": the file is of a version that wrote no last line.',
          ),
        ],
        requestBody: { required: true, description: JSON_LINES, content: LINES },
        responses: {
          200: json('The import is done: how many records of each kind are in.', ref('schemas', 'Imported')),
          202: json(
            'The same file, or its rest from "nextLine" on, goes on.',
            ref('schemas', 'ImportedSoFar'),
          ),
          ...errors(400, 401, 404, 408, 409, 413, 429, 503),
        },
      }),
      delete: operation('undoImport', 'Takes an import back that is not complete', {
        responses: {
          202: json(
            'More than one request deletes: repeat it, or the hourly timer goes on.',
            ref('schemas', 'Going'),
          ),
          204: { description: 'The tenant is empty, with its tokens and its log.' },
          ...errors(401, 404, 429, 503),
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

export function adminComponents(types: readonly ResourceType[]): {
  schemas: Json
  parameters: Json
  responses: Json
} {
  return {
    schemas: adminSchemas(types),
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
  409: [
    'AdminConflict',
    'The id is in use, the tenant is not empty or not ready, or names of groups are not unique.',
  ],
  413: ['AdminTooLarge', 'The body is too large.'],
  429: ['AdminTooManyRequests', 'Too many refused tokens from this address, or too many bytes under way.'],
  503: ['AdminUnavailable', 'The database does not answer, or ADMIN_TOKEN is not set.'],
}

function errors(...codes: readonly Code[]): Json {
  return Object.fromEntries(codes.map((code) => [code, ref('responses', RESPONSES[code][0])]))
}

function adminSchemas(types: readonly ResourceType[]): Json {
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
  const imported = object(
    { user: COUNT, group: COUNT, membership: COUNT },
    ['user', 'group', 'membership'],
    true,
  )
  return {
    Tenant: object(
      {
        ...tenant,
        userCount: COUNT,
        activeUserCount: COUNT,
        groupCount: COUNT,
        createdAt: TIME,
        state: { ...TEXT, enum: STATES, description: 'Clients are let in when it is "ready".' },
        importedLines: { ...COUNT, description: 'Lines of the file that are in, while it is "importing".' },
      },
      [...Object.keys(tenant), 'userCount', 'activeUserCount', 'groupCount', 'createdAt', 'state'],
      true,
    ),
    Going: object({ state: { ...TEXT, enum: ['deleting', 'undoing'] } }, ['state'], true),
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
    Imported: object({ imported }, ['imported'], true),
    ImportedSoFar: object({ imported, nextLine: COUNT }, ['imported', 'nextLine'], true),
    LogEntry: logEntry(types),
    AdminError: object(
      { error: object({ code: TEXT, message: TEXT, field: TEXT }, ['code', 'message'], true) },
      ['error'],
      true,
    ),
  }
}

function logEntry(types: readonly ResourceType[]): Json {
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
      resourceType: { ...TEXT, enum: types.map(({ name }) => name) },
      resourceId: textOrNull,
      resourceName: textOrNull,
      status: { type: 'integer' },
      scimType: textOrNull,
      detail: {
        ...textOrNull,
        description: 'Why it was refused, or why operations of a PATCH that disables were left out.',
      },
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
