/** Extension schemas of a tenant. */
import * as v from 'valibot'
import { MAX_BODY_BYTES } from '../../scim/limits.ts'
import { RESOURCE_TYPES } from '../../storage/tables/resource-tables.ts'
import { field, TEXT } from './fields.ts'
import type { Routes } from './route.ts'

const TYPE_NAMES = RESOURCE_TYPES.map(({ name }) => name)

const TEXTS = { type: 'array', items: { type: 'string' } }

/** An attribute (RFC 7643 §7). src/scim/schema/extension.ts checks the schema. */
const ATTRIBUTE_KEYWORDS = {
  name: { type: 'string' },
  type: { enum: ['string', 'boolean', 'decimal', 'integer', 'dateTime', 'binary', 'reference', 'complex'] },
  multiValued: { type: 'boolean', default: false },
  description: { type: 'string' },
  required: { const: false },
  canonicalValues: TEXTS,
  caseExact: { type: 'boolean', default: false },
  mutability: { enum: ['readWrite', 'immutable'], default: 'readWrite' },
  returned: { enum: ['always', 'default', 'request'], default: 'default' },
  uniqueness: { const: 'none' },
  referenceTypes: TEXTS,
}

const SCHEMA_KEYWORDS = {
  schemas: TEXTS,
  id: { type: 'string', description: 'The URN.' },
  name: { type: 'string' },
  description: { type: 'string' },
  resourceType: { enum: TYPE_NAMES, description: 'The default is the last part of the URN.' },
  attributes: {
    type: 'array',
    items: {
      type: 'object',
      required: ['name'],
      properties: {
        ...ATTRIBUTE_KEYWORDS,
        subAttributes: {
          type: 'array',
          items: { type: 'object', required: ['name'], properties: ATTRIBUTE_KEYWORDS },
        },
        indexed: {
          type: 'boolean',
          default: false,
          description: 'Whether the attribute has an index for filters.',
        },
      },
    },
  },
}

const EXAMPLE = {
  id: 'urn:ietf:params:scim:schemas:extension:acme:2.0:User',
  attributes: [{ name: 'badge', type: 'string', indexed: true }],
}

export const EXTENSION_SCHEMA_INPUT = v.pipe(
  v.unknown(),
  field({ jsonSchema: { type: 'object', required: ['attributes'], properties: SCHEMA_KEYWORDS } }),
  v.title('ExtensionSchemaInput'),
  v.examples([EXAMPLE]),
)

export const EXTENSION_SCHEMA = v.pipe(
  v.unknown(),
  field({
    jsonSchema: {
      type: 'object',
      required: ['schemas', 'id', 'name', 'description', 'resourceType', 'attributes', 'state', 'indexes'],
      properties: {
        ...SCHEMA_KEYWORDS,
        state: {
          enum: ['active', 'removed', 'purging'],
          description: 'Clients see the schema in the state "active" only.',
        },
        indexes: {
          type: 'array',
          items: {
            type: 'object',
            required: ['attribute', 'state'],
            properties: { attribute: { type: 'string' }, state: { enum: ['ready', 'building'] } },
          },
        },
      },
    },
  }),
  v.title('ExtensionSchema'),
)

const RESOURCE_TYPE = v.optional(
  v.pipe(v.picklist(TYPE_NAMES), v.description('The resource type of schemas that do not name it.')),
)

const PURGE = v.optional(
  v.pipe(v.picklist(['true', 'false']), v.description('Whether the stored values are deleted too.')),
)

export const schemaRoutes = {
  listExtensions: {
    method: 'GET',
    path: '/tenants/{id}/schemas',
    summary: 'Lists the extension schemas of a tenant',
    answers: {
      200: {
        description: 'All schemas, including removed ones.',
        body: v.object({ schemas: v.array(EXTENSION_SCHEMA) }),
      },
    },
    refusals: [404],
  },
  importExtensions: {
    method: 'POST',
    path: '/tenants/{id}/schemas',
    summary:
      "Imports extension schemas from another service provider's `/Schemas`, or from Entra's list of attributes",
    description:
      'The body is a schema, a ListResponse of schemas, the synchronization schema of Microsoft Graph, or `{"attributes": ["urn:…:User:badge"]}`. Built-in schemas and attributes are left out. Either all schemas are stored or none.',
    query: v.strictObject({ resourceType: RESOURCE_TYPE }),
    body: v.pipe(
      v.unknown(),
      field({ jsonSchema: { type: 'object' } }),
      v.title('SchemaDocument'),
      v.examples([{ attributes: [`${EXAMPLE.id}:badge`] }]),
    ),
    maxBodyBytes: MAX_BODY_BYTES,
    answers: {
      200: {
        description: 'The schemas after the import, and notes on the import.',
        body: v.object({ schemas: v.array(EXTENSION_SCHEMA), notes: v.array(TEXT) }),
      },
    },
    refusals: [404, 409],
  },
  getExtension: {
    method: 'GET',
    path: '/tenants/{id}/schemas/{urn}',
    summary: 'Reads an extension schema',
    answers: { 200: { description: 'The schema.', body: EXTENSION_SCHEMA } },
    refusals: [404],
  },
  putExtension: {
    method: 'PUT',
    path: '/tenants/{id}/schemas/{urn}',
    summary: 'Adds or changes an extension schema',
    description:
      'The body is a schema as in RFC 7643 §7. The default of its `id` is the URN in the path. A change that alters the meaning of stored values, such as another type, is refused with 400.',
    body: EXTENSION_SCHEMA_INPUT,
    answers: {
      200: { description: 'Changed.', body: EXTENSION_SCHEMA },
      201: {
        description: 'Added.',
        body: EXTENSION_SCHEMA,
        headers: { Location: 'The path of the schema.' },
      },
    },
    refusals: [404, 409],
  },
  deleteExtension: {
    method: 'DELETE',
    path: '/tenants/{id}/schemas/{urn}',
    summary: 'Removes an extension schema',
    description:
      'The stored values are kept, and reappear if the schema is added again. `purge=true` deletes them.',
    query: v.strictObject({ purge: PURGE }),
    answers: {
      202: {
        description:
          'One request cannot delete all values. Repeat it, or leave the rest to the hourly timer.',
        body: v.pipe(v.strictObject({ state: v.picklist(['purging']) }), v.title('Purging')),
      },
      204: { description: 'Removed.' },
    },
    refusals: [404, 409],
  },
} as const satisfies Routes
