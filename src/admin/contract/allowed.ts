/**
 * Describes the values that a schema allows, for error messages: `"groupLimit" must be a whole number from 0 to 1000000`.
 */
import { actionsOf, type SchemaParts } from './schema-parts.ts'

/** Describes the values allowed at a path below a schema. An empty path means the schema itself. */
export function allowedAt(schema: SchemaParts, path: readonly unknown[]): string {
  const [key, ...rest] = path
  if (key === undefined) return allowedBy(schema)
  if (schema.wrapped !== undefined) return allowedAt(schema.wrapped, path)
  const next = typeof key === 'number' ? schema.item : schema.entries?.[String(key)]
  return next === undefined ? allowedBy(schema) : allowedAt(next, rest)
}

/** The text in the metadata of the schema, or else a text derived from the schema. */
function allowedBy(schema: SchemaParts): string {
  const actions = actionsOf(schema)
  const stated = actions.findLast(({ metadata }) => metadata?.allowed !== undefined)?.metadata?.allowed
  if (stated !== undefined) return stated
  if (schema.wrapped !== undefined) {
    const allowed = allowedBy(schema.wrapped)
    return schema.type === 'nullable' ? `${allowed}, or null` : allowed
  }
  const limit = (type: string) => actions.find((action) => action.type === type)?.requirement
  switch (schema.type) {
    case 'boolean':
      return 'true or false'
    case 'number':
      return numbers(
        actions.some(({ type }) => type === 'integer') ? 'a whole number' : 'a number',
        limit('min_value'),
        limit('max_value'),
      )
    case 'picklist':
      return choice((schema.options ?? []).map((option) => `"${option}"`))
    case 'string':
      return texts(limit('min_length'), limit('max_length'))
    case 'array':
      return 'a list'
    default:
      return 'an object'
  }
}

function numbers(name: string, least: unknown, most: unknown): string {
  if (least === undefined) return name
  return most === undefined ? `${name}, ${least} or more` : `${name} from ${least} to ${most}`
}

function texts(least: unknown, most: unknown): string {
  return most === undefined ? 'a text' : `a text of ${least ?? 0} to ${most} characters`
}

/** A choice in words: `"a", "b" or "c"`. */
export function choice(options: readonly string[]): string {
  const last = options.at(-1) ?? ''
  return options.length < 2 ? last : `${options.slice(0, -1).join(', ')} or ${last}`
}
