/**
 * The component schemas of the SCIM API: the resources, generated from their definitions, and the messages of RFC 7644.
 */
import type { ScimType } from '../../scim/error.ts'
import { DEFAULT_PAGE_SIZE, MAX_BULK_OPERATIONS, MAX_PAGE_SIZE } from '../../scim/limits.ts'
import type { ResourceType } from '../../scim/schema/definition.ts'
import { servedTypes } from '../../scim/schema/group-membership.ts'
import { schemasOf } from '../../scim/schema/resource-type.ts'
import { SERVICE_PROVIDER_CONFIG } from '../../scim/schema/service-provider-config.ts'
import * as urn from '../../scim/urn.ts'
import { DOCUMENTATION, GROUP_EXAMPLE, USER_EXAMPLE } from './documentation.ts'
import { arrayOf, type Json, messageSchemas, object, ref, resourceSchema } from './json-schema.ts'

const STRING = { type: 'string' } as const
const BOOLEAN = { type: 'boolean' } as const

/** All values of `scimType`. A record, so that the compiler reports a missing one. */
const SCIM_TYPES: Record<ScimType, true> = {
  invalidFilter: true,
  tooMany: true,
  uniqueness: true,
  mutability: true,
  invalidSyntax: true,
  invalidPath: true,
  noTarget: true,
  invalidValue: true,
  invalidVers: true,
  sensitive: true,
  invalidCursor: true,
  expiredCursor: true,
  invalidCount: true,
}

/** All component schemas of the SCIM API by name. */
export function scimSchemas(stored: readonly ResourceType[]): Json {
  const types = servedTypes(stored)
  return {
    ...Object.fromEntries(types.map((type) => [type.name, describedSchema(type)])),
    Resource: { anyOf: stored.map(({ name }) => ref('schemas', name)) },
    ...Object.fromEntries(types.map(({ name }) => [`${name}List`, listSchema(name)])),
    ResourceList: listSchema('Resource'),
    SearchRequest: searchRequest(),
    PatchOp: patchOp(),
    BulkRequest: bulkRequest(),
    BulkResponse: bulkResponse(),
    Error: errorSchema(),
    ServiceProviderConfig: serviceProviderConfig(),
    ResourceType: resourceType(types),
    ResourceTypeList: listSchema('ResourceType'),
    Schema: schema(types),
    SchemaAttribute: schemaAttribute(),
    SchemaList: listSchema('Schema'),
  }
}

function describedSchema(type: ResourceType): Json {
  const example = DOCUMENTATION[type.schema.id]?.example
  return { ...resourceSchema(type), ...(example && { examples: [example] }) }
}

function listSchema(name: string): Json {
  return {
    title: `ListResponse of ${name}`,
    ...object(
      {
        schemas: messageSchemas(urn.LIST_RESPONSE),
        totalResults: { type: 'integer', minimum: 0, description: 'The number of results on all pages.' },
        startIndex: { type: 'integer', minimum: 1, description: '1-based. Only for index-based pagination.' },
        itemsPerPage: { type: 'integer', minimum: 0, maximum: MAX_PAGE_SIZE },
        nextCursor: {
          ...STRING,
          description: 'Only for cursor-based pagination (RFC 9865). Missing on the last page.',
        },
        previousCursor: {
          ...STRING,
          description: 'Only for cursor-based pagination (RFC 9865). Missing on the first page.',
        },
        Resources: arrayOf(ref('schemas', name)),
      },
      ['schemas', 'totalResults', 'itemsPerPage', 'Resources'],
    ),
  }
}

function searchRequest(): Json {
  return {
    title: 'SearchRequest',
    description: 'List parameters in the body, because filters contain personal data (RFC 7644 §3.4.3).',
    ...object({
      schemas: messageSchemas(urn.SEARCH_REQUEST),
      filter: STRING,
      sortBy: STRING,
      sortOrder: { ...STRING, enum: ['ascending', 'descending'], default: 'ascending' },
      startIndex: { type: 'integer', default: 1 },
      count: { type: 'integer', default: DEFAULT_PAGE_SIZE },
      cursor: { ...STRING, description: 'Empty for the first page.' },
      attributes: arrayOf(STRING),
      excludedAttributes: arrayOf(STRING),
    }),
    examples: [
      {
        schemas: [urn.SEARCH_REQUEST],
        filter: 'displayName sw "Mirela"',
        attributes: ['userName'],
        count: 10,
      },
    ],
  }
}

function patchOp(): Json {
  return {
    title: 'PatchOp',
    description: 'Operations that are applied in order and atomically (RFC 7644 §3.5.2).',
    ...object(
      {
        schemas: messageSchemas(urn.PATCH_OP),
        Operations: arrayOf(
          object(
            {
              op: {
                ...STRING,
                enum: ['add', 'replace', 'remove'],
                description: 'Case-insensitive, depending on the profile.',
              },
              path: { ...STRING, description: 'Required for remove. Example: emails[type eq "work"].value' },
              value: { description: 'Required for add and replace.' },
            },
            ['op'],
          ),
        ),
      },
      ['Operations'],
    ),
    examples: [
      { schemas: [urn.PATCH_OP], Operations: [{ op: 'replace', path: 'active', value: false }] },
      {
        schemas: [urn.PATCH_OP],
        Operations: [{ op: 'add', path: 'members', value: [{ value: GROUP_EXAMPLE.members[0]?.value }] }],
      },
    ],
  }
}

const METHOD = { ...STRING, enum: ['POST', 'PUT', 'PATCH', 'DELETE'] }

function bulkRequest(): Json {
  const operation = object(
    {
      method: METHOD,
      path: {
        ...STRING,
        description: 'Relative to the Tenant URL. May contain "bulkId:…".',
        examples: ['/Users'],
      },
      bulkId: {
        ...STRING,
        description: 'Required for POST. Other operations refer to the new resource by "bulkId:…".',
      },
      version: { ...STRING, description: 'The ETag that the resource must have.' },
      data: { type: 'object', description: 'The body of the operation.' },
    },
    ['method', 'path'],
  )
  return {
    title: 'BulkRequest',
    ...object(
      {
        schemas: messageSchemas(urn.BULK_REQUEST),
        failOnErrors: {
          type: 'integer',
          minimum: 1,
          description: 'The number of errors after which the remaining operations are not run.',
        },
        Operations: arrayOf(operation, { maxItems: MAX_BULK_OPERATIONS }),
      },
      ['schemas', 'Operations'],
    ),
    examples: [
      {
        schemas: [urn.BULK_REQUEST],
        Operations: [
          {
            method: 'POST',
            path: '/Users',
            bulkId: 'u1',
            data: { schemas: [urn.USER_SCHEMA], userName: USER_EXAMPLE.userName },
          },
          {
            method: 'POST',
            path: '/Groups',
            bulkId: 'g1',
            data: {
              schemas: [urn.GROUP_SCHEMA],
              displayName: 'Field Crew',
              members: [{ value: 'bulkId:u1' }],
            },
          },
        ],
      },
    ],
  }
}

function bulkResponse(): Json {
  const result = object(
    {
      method: METHOD,
      bulkId: STRING,
      location: { ...STRING, format: 'uri' },
      version: STRING,
      status: { ...STRING, pattern: '^[1-5]\\d\\d$' },
      response: { ...ref('schemas', 'Error'), description: 'The error of an operation that failed.' },
    },
    ['method', 'status'],
  )
  return {
    title: 'BulkResponse',
    ...object({ schemas: messageSchemas(urn.BULK_RESPONSE), Operations: arrayOf(result) }, [
      'schemas',
      'Operations',
    ]),
  }
}

function errorSchema(): Json {
  return {
    title: 'Error',
    ...object(
      {
        schemas: messageSchemas(urn.ERROR),
        status: { ...STRING, pattern: '^[45]\\d\\d$', description: 'The HTTP status, as text.' },
        scimType: { ...STRING, enum: Object.keys(SCIM_TYPES) },
        detail: { ...STRING, description: 'The value found, and the values allowed.' },
      },
      ['schemas', 'status', 'detail'],
    ),
  }
}

function serviceProviderConfig(): Json {
  const supported = object({ supported: BOOLEAN }, ['supported'])
  const withNumbers = (...names: readonly string[]) =>
    object(
      {
        supported: BOOLEAN,
        ...Object.fromEntries(names.map((name) => [name, { type: 'integer', minimum: 0 }])),
      },
      ['supported', ...names],
    )
  const { pagination } = SERVICE_PROVIDER_CONFIG
  return {
    title: 'ServiceProviderConfig',
    description: 'The features of this service provider (RFC 7643 §5, RFC 9865 §4).',
    ...object(
      {
        schemas: messageSchemas(urn.SERVICE_PROVIDER_CONFIG_SCHEMA),
        patch: supported,
        bulk: withNumbers('maxOperations', 'maxPayloadSize'),
        filter: withNumbers('maxResults'),
        changePassword: supported,
        sort: supported,
        etag: supported,
        pagination: object(
          {
            cursor: BOOLEAN,
            index: BOOLEAN,
            defaultPaginationMethod: { ...STRING, enum: ['cursor', 'index'] },
            defaultPageSize: { type: 'integer' },
            maxPageSize: { type: 'integer' },
            cursorTimeout: { type: 'integer', description: 'In seconds.' },
          },
          ['cursor', 'index'],
        ),
        authenticationSchemes: arrayOf(
          object(
            {
              type: STRING,
              name: STRING,
              description: STRING,
              specUri: STRING,
              documentationUri: STRING,
              primary: BOOLEAN,
            },
            ['type', 'name', 'description'],
          ),
        ),
        meta: { type: 'object' },
      },
      ['schemas', 'patch', 'bulk', 'filter', 'changePassword', 'sort', 'etag', 'authenticationSchemes'],
    ),
    examples: [{ ...SERVICE_PROVIDER_CONFIG, pagination }],
  }
}

function resourceType(types: readonly ResourceType[]): Json {
  return {
    title: 'ResourceType',
    ...object(
      {
        schemas: messageSchemas(urn.RESOURCE_TYPE_SCHEMA),
        id: { ...STRING, enum: types.map((type) => type.name) },
        name: STRING,
        description: STRING,
        endpoint: { ...STRING, enum: types.map((type) => type.endpoint) },
        schema: { ...STRING, enum: types.map((type) => type.schema.id) },
        schemaExtensions: arrayOf(object({ schema: STRING, required: BOOLEAN }, ['schema', 'required'])),
        meta: { type: 'object' },
      },
      ['schemas', 'name', 'endpoint', 'schema', 'schemaExtensions'],
    ),
  }
}

function schema(types: readonly ResourceType[]): Json {
  return {
    title: 'Schema',
    ...object(
      {
        schemas: messageSchemas(urn.SCHEMA_SCHEMA),
        id: { ...STRING, enum: schemasOf(types).map(({ id }) => id) },
        name: STRING,
        description: STRING,
        attributes: arrayOf(ref('schemas', 'SchemaAttribute')),
        meta: { type: 'object' },
      },
      ['schemas', 'id', 'attributes'],
    ),
  }
}

/** RFC 7643 §7. */
function schemaAttribute(): Json {
  return {
    title: 'Attribute of a Schema',
    ...object(
      {
        name: STRING,
        type: {
          ...STRING,
          enum: ['string', 'boolean', 'decimal', 'integer', 'dateTime', 'binary', 'reference', 'complex'],
        },
        multiValued: BOOLEAN,
        description: STRING,
        required: BOOLEAN,
        caseExact: BOOLEAN,
        canonicalValues: arrayOf(STRING),
        mutability: { ...STRING, enum: ['readOnly', 'readWrite', 'immutable', 'writeOnly'] },
        returned: { ...STRING, enum: ['always', 'never', 'default', 'request'] },
        uniqueness: { ...STRING, enum: ['none', 'server', 'global'] },
        referenceTypes: arrayOf(STRING),
        subAttributes: arrayOf(ref('schemas', 'SchemaAttribute')),
      },
      ['name', 'type', 'multiValued', 'description', 'required', 'mutability', 'returned'],
    ),
  }
}
