/** Extension schemas of a tenant. */
import * as v from 'valibot'
import { MAX_BODY_BYTES } from '../../scim/limits.ts'
import {
  ATTRIBUTE_MEMBERS,
  type MemberRule,
  SCHEMA_MEMBERS,
  SUB_ATTRIBUTE_MEMBERS,
  supportedValues,
} from '../../scim/schema/extension-members.ts'
import { field, RESOURCE_TYPE, TEXT } from './fields.ts'
import type { Routes } from './route.ts'

type Entries = Readonly<Record<string, v.GenericSchema>>

/**
 * The entries of an object with these members.
 *
 * @param required the members that it must have; by default those that the parser requires
 */
function entriesOf(
  members: Readonly<Record<string, MemberRule>>,
  attribute: v.GenericSchema = TEXT,
  required = (member: MemberRule): boolean => member.isRequired === true,
): Entries {
  const used = Object.entries(members).filter(([, { kind }]) => kind !== 'unused')
  return Object.fromEntries(
    used.map(([name, member]) => {
      const entry = schemaOf(member, attribute)
      return [name, required(member) ? entry : v.optional(entry, defaultOf(member))]
    }),
  )
}

function schemaOf(member: MemberRule, attribute: v.GenericSchema): v.GenericSchema {
  const value = valueSchema(member, attribute)
  return member.description === undefined ? value : v.pipe(value, v.description(member.description))
}

function valueSchema(member: MemberRule, attribute: v.GenericSchema): v.GenericSchema {
  switch (member.kind) {
    case 'text':
      return v.pipe(TEXT, v.maxLength(member.maxCharacters))
    case 'texts': {
      const { maxItems, maxCharacters } = member
      const text = maxCharacters === undefined ? TEXT : v.pipe(TEXT, v.maxLength(maxCharacters))
      return v.pipe(v.array(text), field({ jsonSchema: maxItems === undefined ? {} : { maxItems } }))
    }
    case 'flag':
      return v.pipe(
        v.boolean(),
        field({ jsonSchema: member.mustBeFalse === undefined ? {} : { const: false } }),
      )
    case 'choice':
      return v.picklist(supportedValues(member))
    case 'attributes':
      return v.pipe(v.array(attribute), field({ jsonSchema: { minItems: 1, maxItems: member.maxItems } }))
    case 'resource type':
      return RESOURCE_TYPE
    case 'unused':
      return v.unknown()
  }
}

function defaultOf(member: MemberRule): unknown {
  return 'default' in member ? member.default : undefined
}

const SUB_ATTRIBUTE = v.object(entriesOf(SUB_ATTRIBUTE_MEMBERS))
const ATTRIBUTE = v.object(entriesOf(ATTRIBUTE_MEMBERS, SUB_ATTRIBUTE))

const EXAMPLE = {
  id: 'urn:ietf:params:scim:schemas:extension:acme:2.0:User',
  attributes: [{ name: 'badge', type: 'string', indexed: true }],
}

/** Not checked here: the parser ignores the case of names, and its messages name the attribute. */
const EXTENSION_SCHEMA_INPUT = v.pipe(
  v.unknown(),
  field({ describedBy: v.object(entriesOf(SCHEMA_MEMBERS, ATTRIBUTE)) }),
  v.title('ExtensionSchemaInput'),
  v.examples([EXAMPLE]),
)

const EXTENSION_SCHEMA = v.pipe(
  v.object({
    ...entriesOf(SCHEMA_MEMBERS, ATTRIBUTE, () => true),
    state: v.pipe(
      v.picklist(['active', 'removed', 'purging']),
      v.description('Clients see the schema in the state "active" only.'),
    ),
    indexes: v.array(v.object({ attribute: TEXT, state: v.picklist(['ready', 'building']) })),
  }),
  v.title('ExtensionSchema'),
)

const IMPORTED_TYPE = v.optional(
  v.pipe(RESOURCE_TYPE, v.description('The resource type of schemas that do not name it.')),
)

const PURGE = v.optional(
  v.pipe(v.picklist(['true', 'false']), v.description('Whether the stored values are deleted too.')),
)

export const schemaRoutes = {
  listExtensions: {
    method: 'GET',
    path: '/tenants/{id}/schemas',
    permission: 'read',
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
    permission: 'change',
    summary:
      "Imports extension schemas from another service provider's `/Schemas`, or from Entra's list of attributes",
    description:
      'The body is a schema, a ListResponse of schemas, the synchronization schema of Microsoft Graph, or `{"attributes": ["urn:…:User:badge"]}`. Built-in schemas and attributes are left out. Either all schemas are stored or none.',
    query: v.strictObject({ resourceType: IMPORTED_TYPE }),
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
    permission: 'read',
    summary: 'Reads an extension schema',
    answers: { 200: { description: 'The schema.', body: EXTENSION_SCHEMA } },
    refusals: [404],
  },
  putExtension: {
    method: 'PUT',
    path: '/tenants/{id}/schemas/{urn}',
    permission: 'change',
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
    permission: 'change',
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
