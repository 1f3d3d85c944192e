/** Extension schemas of a tenant. */
import * as v from 'valibot'
import { MAX_BODY_BYTES } from '../../scim/limits.ts'
import { RESOURCE_TYPES } from '../../storage/tables/resource-tables.ts'
import { field, TEXT } from './fields.ts'
import type { Routes } from './route.ts'

const TYPE_NAMES = RESOURCE_TYPES.map(({ name }) => name)

const TEXTS = { type: 'array', items: { type: 'string' } }

/** One attribute as RFC 7643 §7 has it. src/scim/schema/extension.ts checks what a schema must be like. */
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
  resourceType: { enum: TYPE_NAMES, description: 'By default the last part of the URN.' },
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
        indexed: { type: 'boolean', default: false, description: 'Whether an index answers filters on it.' },
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
  field({ jsonSchema: { type: 'object', required: ['id', 'attributes'], properties: SCHEMA_KEYWORDS } }),
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
          description: 'Clients see it when it is "active".',
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
  v.pipe(v.picklist(TYPE_NAMES), v.description('Of schemas that do not say which type they extend.')),
)

const PURGE = v.optional(
  v.pipe(v.picklist(['true', 'false']), v.description('Whether what is stored of it is deleted too.')),
)

export const schemaRoutes = {
  listExtensions: {
    method: 'GET',
    path: '/tenants/{id}/schemas',
    summary: 'Lists the extension schemas of a tenant',
    answers: {
      200: {
        description: 'All, removed ones included.',
        body: v.object({ schemas: v.array(EXTENSION_SCHEMA) }),
      },
    },
    refusals: [404],
  },
  importExtensions: {
    method: 'POST',
    path: '/tenants/{id}/schemas',
    summary:
      "Imports extension schemas: the answer of another service provider's `/Schemas`, or Entra's list of attributes",
    description:
      'Either a ListResponse or one schema; or the synchronization schema of Microsoft Graph, or `{"attributes": ["urn:…:User:badge"]}`. What is built in is left out. All schemas are put, or none.',
    query: v.object({ resourceType: RESOURCE_TYPE }),
    body: v.pipe(
      v.unknown(),
      field({ jsonSchema: { type: 'object' } }),
      v.title('SchemaDocument'),
      v.examples([{ attributes: [`${EXAMPLE.id}:badge`] }]),
    ),
    maxBodyBytes: MAX_BODY_BYTES,
    answers: {
      200: {
        description: 'The schemas as they are now, and what an administrator should know.',
        body: v.object({ schemas: v.array(EXTENSION_SCHEMA), notes: v.array(TEXT) }),
      },
    },
    refusals: [404, 409],
  },
  getExtension: {
    method: 'GET',
    path: '/tenants/{id}/schemas/{urn}',
    summary: 'Reads an extension schema',
    answers: { 200: { description: 'As it is now.', body: EXTENSION_SCHEMA } },
    refusals: [404],
  },
  putExtension: {
    method: 'PUT',
    path: '/tenants/{id}/schemas/{urn}',
    summary: 'Adds an extension schema, or changes it',
    description:
      'The form is that of RFC 7643 §7. A change that gives stored values another meaning, such as another type, is refused with 400.',
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
      'What is stored of it is kept, and is there again when the schema is. With `purge=true` it is deleted as well.',
    query: v.object({ purge: PURGE }),
    answers: {
      202: {
        description: 'More than one request deletes: repeat it, or the hourly timer goes on.',
        body: v.pipe(v.strictObject({ state: v.picklist(['purging']) }), v.title('Purging')),
      },
      204: { description: 'Done.' },
    },
    refusals: [404, 409],
  },
} as const satisfies Routes
