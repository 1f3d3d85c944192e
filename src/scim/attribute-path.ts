/**
 * Resolves attribute paths against a resource type: `userName`, `name.familyName`, `urn:…:User:nativeObjectId`
 * (RFC 7644 §3.10). Value paths, which contain a filter, are in path.ts.
 */
import type { Attribute, ResourceType } from './schema/definition.ts'
import { findAttribute } from './schema/lookup.ts'

/**
 * A resolved attribute path: the attribute definitions, starting at the resource.
 *
 *   urn:…:enterprise:2.0:User:manager.displayName
 *   ^ steps[0]                ^ [1]   ^ [2]
 */
export interface AttributePath {
  readonly steps: readonly [Attribute, ...Attribute[]]
}

/** The canonical text of a path, with names as the schema spells them. Used as a key. */
export function pathText(path: AttributePath): string {
  const [first, ...rest] = path.steps.map((step) => step.name)
  return first?.startsWith('urn:') && rest.length > 0
    ? `${first}:${rest.join('.')}`
    : [first, ...rest].join('.')
}

/** The last attribute of the path. */
export function target(path: AttributePath): Attribute {
  return path.steps.at(-1) ?? path.steps[0]
}

/**
 * Resolves an attribute path of a resource type, regardless of case, with or without the URN of its schema.
 *
 * @returns undefined if the resource type has no such attribute
 */
export function resolveAttributePath(text: string, type: ResourceType): AttributePath | undefined {
  const schema = longestSchemaPrefix(text, type)
  if (schema === undefined) return resolveNames(text, type.attributes)
  // The URN of the core schema only qualifies a name. The URN of an extension is itself an attribute.
  const names = text.slice(schema.length + 1)
  if (schema === type.schema.id) return resolveNames(names, type.attributes)
  const extension = findAttribute(type.attributes, schema)
  if (extension === undefined) return undefined
  if (text.length === schema.length) return { steps: [extension] }
  const inner = resolveNames(names, extension.subAttributes)
  return inner && { steps: [extension, ...inner.steps] }
}

/** Resolves `name` or `name.subName` in a list of attributes. */
export function resolveNames(
  text: string,
  attributes: readonly Attribute[] | undefined,
): AttributePath | undefined {
  const dot = text.indexOf('.')
  const attribute = findAttribute(attributes, dot < 0 ? text : text.slice(0, dot))
  if (attribute === undefined) return undefined
  if (dot < 0) return { steps: [attribute] }
  const subAttribute = findAttribute(attribute.subAttributes, text.slice(dot + 1))
  return subAttribute && { steps: [attribute, subAttribute] }
}

/** The URNs of a resource type, by their text in lower case, and the different lengths, longest first. */
interface SchemaUrns {
  readonly ids: ReadonlyMap<string, string>
  readonly lengths: readonly number[]
}

// A tenant can have many long URNs and a PATCH many paths, so the URNs are not compared one by one for each path.
const urnsOfTypes = new WeakMap<ResourceType, SchemaUrns>()

function urnsOf(type: ResourceType): SchemaUrns {
  const known = urnsOfTypes.get(type)
  if (known !== undefined) return known
  const ids = [type.schema, ...type.extensions].map(({ id }) => id)
  const lengths = [...new Set(ids.map(({ length }) => length))].sort((a, b) => b - a)
  const urns = { ids: new Map(ids.map((id) => [id.toLowerCase(), id])), lengths }
  urnsOfTypes.set(type, urns)
  return urns
}

/** A URN contains dots and colons, so the text is not split at them: the longest known URN that it starts with is used. */
function longestSchemaPrefix(text: string, type: ResourceType): string | undefined {
  if (text.slice(0, 4).toLowerCase() !== 'urn:') return undefined
  const { ids, lengths } = urnsOf(type)
  for (const length of lengths) {
    if (text.length !== length && text[length] !== ':') continue
    const id = ids.get(text.slice(0, length).toLowerCase())
    if (id !== undefined) return id
  }
  return undefined
}
