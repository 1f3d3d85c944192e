/**
 * Selects the attributes of a resource that are returned (RFC 7643 §7 "returned", RFC 7644 §3.4.2.5, §3.9).
 */
import { type AttributePath, resolveAttributePath } from './attribute-path.ts'
import { type Complex, isComplex } from './comparison.ts'
import { badRequest } from './error.ts'
import { MAX_ATTRIBUTE_NAMES } from './limits.ts'
import type { Attribute, ResourceType } from './schema/definition.ts'
import { isExtension, isReturnedByDefault } from './schema/resource-type.ts'
import { Work } from './work.ts'

/**
 * A set of attribute paths as a tree: each attribute maps to `whole` or to the tree of its selected sub-attributes. An
 * attribute of a resource is looked up once, however many names a client sends.
 */
export type PathTree = ReadonlyMap<Attribute, PathTree | 'whole'>

/** The attributes that a client requested. Unknown paths are omitted, because they select nothing. */
export interface Projection {
  /** Undefined for the default set. An empty tree selects only attributes with returned "always". */
  readonly attributes?: PathTree
  readonly excludedAttributes?: PathTree
}

/** What is returned if a client names no attributes. */
const DEFAULT: Projection = {}

/**
 * Resolves the two lists of attribute names.
 *
 * @param attributes undefined if the client sent none
 * @throws {ScimError} invalidValue for more than MAX_ATTRIBUTE_NAMES names
 */
export function parseProjection(
  attributes: readonly string[] | undefined,
  excludedAttributes: readonly string[] | undefined,
  type: ResourceType,
): Projection {
  if (attributes === undefined && excludedAttributes === undefined) return DEFAULT
  return {
    ...(attributes && { attributes: treeOf('attributes', attributes, type) }),
    ...(excludedAttributes && { excludedAttributes: treeOf('excludedAttributes', excludedAttributes, type) }),
  }
}

function treeOf(parameter: string, names: readonly string[], type: ResourceType): PathTree {
  if (names.length > MAX_ATTRIBUTE_NAMES) {
    throw badRequest(
      'invalidValue',
      `"${parameter}" has ${names.length} names, the limit is ${MAX_ATTRIBUTE_NAMES}`,
    )
  }
  const tree: MutablePathTree = new Map()
  for (const name of names) {
    const path = resolveAttributePath(name, type)
    if (path !== undefined) addPath(tree, path)
  }
  return tree
}

type MutablePathTree = Map<Attribute, MutablePathTree | 'whole'>

function addPath(tree: MutablePathTree, { steps }: AttributePath): void {
  let at = tree
  for (const [i, step] of steps.entries()) {
    const below = at.get(step)
    if (below === 'whole') return
    if (i === steps.length - 1) at.set(step, 'whole')
    else {
      const next: MutablePathTree = below ?? new Map()
      at.set(step, next)
      at = next
    }
  }
}

/** True if all attributes are returned, or all except the named one. */
export function returnsAllExcept(
  name: string | undefined,
  { attributes, excludedAttributes }: Projection,
  { returnsAll }: ResourceType,
): boolean {
  if (!returnsAll || attributes !== undefined) return false
  if (excludedAttributes === undefined) return true
  return [...excludedAttributes].every(([attribute, below]) => attribute.name === name && below === 'whole')
}

/** True if the projection returns the top-level attribute or a part of it. Otherwise it need not be loaded. */
export function isReturned(projection: Projection, name: string, type: ResourceType): boolean {
  const attribute = type.attributes.find((candidate) => candidate.name === name)
  return attribute !== undefined && choiceBelow(attribute, choiceAtTop(projection)) !== undefined
}

/** The resource with only the returned attributes, in the order of the schema. */
export function project(
  resource: Complex,
  projection: Projection,
  type: ResourceType,
  work = new Work(),
): Complex {
  const shown = projectAttributes(resource, type.attributes, choiceAtTop(projection), work)
  return type.returnsAll ? shown : withoutHidden(shown, type)
}

/** Removes the URNs of removed extensions, which the "schemas" of stored resources still contain. */
function withoutHidden(resource: Complex, { schema, extensions }: ResourceType): Complex {
  const { schemas } = resource
  if (!Array.isArray(schemas)) return resource
  const known = new Set<unknown>([schema, ...extensions].map(({ id }) => id))
  return { ...resource, schemas: schemas.filter((urn) => known.has(urn)) }
}

/** The selection among the attributes at one level. */
interface Choice {
  /** `default` if the client sent no "attributes"; `whole` below an attribute that it named. */
  readonly included: PathTree | 'default' | 'whole'
  readonly excluded: PathTree | undefined
}

function choiceAtTop({ attributes, excludedAttributes }: Projection): Choice {
  return { included: attributes ?? 'default', excluded: excludedAttributes }
}

/** @returns the selection below the attribute; undefined if the attribute is not returned */
function choiceBelow(attribute: Attribute, { included, excluded }: Choice): Choice | 'whole' | undefined {
  if (attribute.returned === 'never') return undefined
  if (attribute.returned === 'always') return 'whole'
  const without = excluded?.get(attribute)
  const isLeftOut = without === 'whole' || (included === 'default' && attribute.returned === 'request')
  const wanted = typeof included === 'string' ? included : included.get(attribute)
  if (isLeftOut || wanted === undefined) return minimumOf(attribute)
  const isWhole = wanted === 'whole' || (wanted === 'default' && isReturnedByDefault(attribute))
  return without === undefined && isWhole ? 'whole' : { included: wanted, excluded: without }
}

const NOTHING: PathTree = new Map()

/** RFC 7643 §7: attributes with returned "always" cannot be excluded, including those of an extension. */
function minimumOf(attribute: Attribute): Choice | undefined {
  const isThere =
    isExtension(attribute) && attribute.subAttributes?.some(({ returned }) => returned === 'always')
  return isThere === true ? { included: NOTHING, excluded: undefined } : undefined
}

function projectAttributes(
  object: Complex,
  attributes: readonly Attribute[],
  choice: Choice,
  work: Work,
): Complex {
  work.visit(attributes.length)
  const result: Complex = {}
  for (const attribute of attributes) {
    const value = object[attribute.name]
    const below = value === undefined ? undefined : choiceBelow(attribute, choice)
    if (below === undefined) continue
    const part = below === 'whole' ? value : projectValue(value, attribute, below, work)
    if (part !== undefined) result[attribute.name] = part
  }
  return result
}

function projectValue(value: unknown, attribute: Attribute, choice: Choice, work: Work): unknown {
  const inner = attribute.subAttributes ?? []
  if (Array.isArray(value)) {
    // The empty member list of a group is kept.
    if (value.length === 0) return value
    const elements = value
      .map((element) => (isComplex(element) ? projectAttributes(element, inner, choice, work) : element))
      .filter((element) => !isComplex(element) || Object.keys(element).length > 0)
    return elements.length === 0 ? undefined : elements
  }
  if (!isComplex(value)) return value
  const part = projectAttributes(value, inner, choice, work)
  return Object.keys(part).length === 0 ? undefined : part
}
