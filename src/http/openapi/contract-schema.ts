/**
 * Converts schemas of the admin API's contract to JSON Schema (draft 2020-12). Supports only the kinds of schemas that the
 * contract uses, because `@valibot/to-json-schema` adds 3 kB gzip to the module.
 */
import type { FieldMetadata } from '../../admin/contract/fields.ts'
import { type Action, actionsOf, type SchemaParts } from '../../admin/contract/schema-parts.ts'
import { arrayOf, type Json, object, ref } from './json-schema.ts'

/** What the conversion reads and collects. */
export interface Components {
  /** Component schemas by name. A schema with a title becomes a component and is used by reference. */
  readonly schemas: Map<string, Json>
  /** The names of the registered resource types. */
  readonly typeNames: readonly string[]
}

/**
 * Converts a schema to JSON Schema.
 *
 * @param components receives the schemas with a title
 * @throws {Error} for an unsupported kind of schema or check
 */
export function contractSchema(schema: SchemaParts, components: Components): Json {
  const actions = actionsOf(schema)
  const title = actions.find((action) => action.title !== undefined)?.title
  const made = Object.assign(
    {},
    valueSchema(schema, components),
    ...actions.map((action) => keywords(action, components)),
  )
  if (title === undefined) return made
  components.schemas.set(title, made)
  return ref('schemas', title)
}

function valueSchema(schema: SchemaParts, components: Components): Json {
  const { type, entries = {}, item, wrapped } = schema
  const inner = (part: SchemaParts | undefined) => (part ? contractSchema(part, components) : {})
  switch (type) {
    case 'string':
    case 'number':
    case 'boolean':
      return { type }
    case 'unknown':
      return {}
    case 'picklist':
      return { type: 'string', enum: schema.options }
    case 'nullable':
      return orNull(inner(wrapped))
    case 'optional':
      return { ...inner(wrapped), ...(schema.default !== undefined && { default: schema.default }) }
    case 'array':
      return arrayOf(inner(item))
    case 'record':
      return { type: 'object', additionalProperties: inner(schema.value) }
    case 'object':
    case 'strict_object':
      return object(
        Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, inner(entry)])),
        requiredOf(entries),
        type === 'strict_object',
      )
    default:
      throw new Error(`schema kind "${type}" is not supported`)
  }
}

/** The names of the required entries. */
export function requiredOf(entries: Readonly<Record<string, SchemaParts>>): readonly string[] {
  return Object.keys(entries).filter((name) => entries[name]?.type !== 'optional')
}

/** "enum" lists every allowed value, null included: draft-bhutton-json-schema-validation-01, section 6.1.2. */
function orNull(schema: Json): Json {
  if ('$ref' in schema) return { anyOf: [schema, { type: 'null' }] }
  const { type, enum: options } = schema
  return { ...schema, type: [type, 'null'], ...(Array.isArray(options) && { enum: [...options, null] }) }
}

/** The keywords that an action adds. */
function keywords(action: Action, components: Components): Json {
  const { type, requirement } = action
  switch (type) {
    case 'integer':
      return { type: 'integer' }
    case 'min_value':
      return { minimum: requirement }
    case 'max_value':
      return { maximum: requirement }
    case 'min_length':
      return { minLength: requirement }
    case 'max_length':
      return { maxLength: requirement }
    case 'regex':
      return { pattern: (requirement as RegExp).source }
    case 'description':
      return { description: action.description }
    case 'examples':
      return { examples: action.examples }
    case 'metadata':
      return metadataKeywords(action.metadata ?? {}, components)
    // JSON Schema has no keywords for checks in code and transformations.
    case 'title':
    case 'check':
    case 'transform':
    case 'trim':
      return {}
    default:
      throw new Error(`check kind "${type}" is not supported`)
  }
}

function metadataKeywords(
  { jsonSchema, describedBy, resourceTypeOr }: FieldMetadata,
  components: Components,
): Json {
  return {
    ...(describedBy && contractSchema(describedBy as unknown as SchemaParts, components)),
    ...(resourceTypeOr && { enum: [...components.typeNames, ...resourceTypeOr] }),
    ...jsonSchema,
  }
}
