/**
 * Schemas of the admin API's contract to JSON Schema (draft 2020-12). Covers the kinds of schemas that the contract uses
 * and throws for any other: `@valibot/to-json-schema` covers all of them and adds 3 kB gzip to the module.
 */
import { type Action, actionsOf, type SchemaParts } from '../../admin/contract/schema-parts.ts'
import { arrayOf, type Json, object, ref } from './json-schema.ts'

/** Component schemas by name: those with a title become components, and are referred to where they are used. */
export type Components = Map<string, Json>

/**
 * The JSON Schema of a schema.
 *
 * @param components receives the schemas that have a title
 * @throws {Error} for a kind of schema or of check that has no translation
 */
export function contractSchema(schema: SchemaParts, components: Components): Json {
  const actions = actionsOf(schema)
  const title = actions.find((action) => action.title !== undefined)?.title
  const made = Object.assign({}, valueSchema(schema, components), ...actions.map(keywords))
  if (title === undefined) return made
  components.set(title, made)
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
    case 'object':
    case 'strict_object':
      return object(
        Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, inner(entry)])),
        requiredOf(entries),
        type === 'strict_object',
      )
    default:
      throw new Error(`a schema of the kind "${type}" has no translation to JSON Schema`)
  }
}

/** The names of entries that may not be missing. */
export function requiredOf(entries: Readonly<Record<string, SchemaParts>>): readonly string[] {
  return Object.keys(entries).filter((name) => entries[name]?.type !== 'optional')
}

function orNull(schema: Json): Json {
  return '$ref' in schema ? { anyOf: [schema, { type: 'null' }] } : { ...schema, type: [schema.type, 'null'] }
}

/** The keywords that an action adds. */
function keywords(action: Action): Json {
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
      return { ...action.metadata?.jsonSchema }
    // Checks in code, and what becomes of the value: JSON Schema has no words for them.
    case 'title':
    case 'check':
    case 'transform':
    case 'trim':
      return {}
    default:
      throw new Error(`a check of the kind "${type}" has no translation to JSON Schema`)
  }
}
