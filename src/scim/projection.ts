/**
 * Which attributes of a resource are returned (RFC 7643 §7 "returned", RFC 7644 §3.4.2.5, §3.9).
 */
import { type AttributePath, resolveAttributePath } from './attribute-path.ts'
import { type Complex, isComplex } from './comparison.ts'
import type { Attribute, ResourceType } from './schema/definition.ts'

/** What a client asked for. Paths that the resource type does not have are left out: they select nothing. */
export interface Projection {
  /** Undefined: the default set. An empty list asks for the minimum: what is always returned. */
  readonly attributes?: readonly AttributePath[]
  readonly excludedAttributes?: readonly AttributePath[]
}

/** Resolves the two lists of attribute names. @param attributes undefined when the client sent none */
export function parseProjection(
  attributes: readonly string[] | undefined,
  excludedAttributes: readonly string[] | undefined,
  type: ResourceType,
): Projection {
  const resolve = (names: readonly string[]) =>
    names.map((name) => resolveAttributePath(name, type)).filter((path) => path !== undefined)
  return {
    ...(attributes && { attributes: resolve(attributes) }),
    ...(excludedAttributes && { excludedAttributes: resolve(excludedAttributes) }),
  }
}

/** True when everything that a resource can hold is returned, or everything but one attribute. */
export function isAllBut(
  name: string,
  { attributes, excludedAttributes = [] }: Projection,
  { returnsAll }: ResourceType,
): boolean {
  if (!returnsAll || attributes !== undefined) return false
  return excludedAttributes.every(({ steps }) => steps.length === 1 && steps[0].name === name)
}

/** True when the projection returns (something of) the top-level attribute: else it need not be loaded. */
export function isReturned(projection: Projection, name: string, type: ResourceType): boolean {
  const attribute = type.attributes.find((candidate) => candidate.name === name)
  return attribute !== undefined && choose([attribute], projection) !== 'none'
}

/** The resource as the client sees it. Keys keep their order. */
export function project(resource: Complex, projection: Projection, type: ResourceType): Complex {
  return projectAttributes(resource, type.attributes, [], projection)
}

function projectAttributes(
  object: Complex,
  attributes: readonly Attribute[],
  above: readonly Attribute[],
  projection: Projection,
): Complex {
  const result: Complex = {}
  for (const attribute of attributes) {
    const value = object[attribute.name]
    if (value === undefined) continue
    const steps = [...above, attribute]
    const choice = choose(steps, projection)
    if (choice === 'all') result[attribute.name] = value
    if (choice !== 'some') continue
    const part = projectValue(value, attribute, steps, projection)
    if (part !== undefined) result[attribute.name] = part
  }
  return result
}

function projectValue(
  value: unknown,
  attribute: Attribute,
  steps: readonly Attribute[],
  projection: Projection,
) {
  const inner = attribute.subAttributes ?? []
  if (Array.isArray(value)) {
    // A list that was empty before, the members of a group without any, is shown as one.
    if (value.length === 0) return value
    const elements = value
      .map((element) => (isComplex(element) ? projectAttributes(element, inner, steps, projection) : element))
      .filter((element) => !isComplex(element) || Object.keys(element).length > 0)
    return elements.length === 0 ? undefined : elements
  }
  if (!isComplex(value)) return value
  const part = projectAttributes(value, inner, steps, projection)
  return Object.keys(part).length === 0 ? undefined : part
}

/** Whether all, some or none of what is at the path is returned. */
function choose(
  steps: readonly Attribute[],
  { attributes, excludedAttributes }: Projection,
): 'all' | 'some' | 'none' {
  const attribute = steps.at(-1)
  if (attribute === undefined || attribute.returned === 'never') return 'none'
  if (attribute.returned === 'always') return 'all'
  const isBelow = (path: AttributePath) => path.steps.length > steps.length && startsWith(path.steps, steps)
  const isAtOrAbove = (path: AttributePath) => startsWith(steps, path.steps)
  if (excludedAttributes?.some(isAtOrAbove)) return 'none'
  const partlyExcluded = excludedAttributes?.some(isBelow) === true
  if (attributes === undefined) {
    if (attribute.returned === 'request') return 'none'
    return partlyExcluded ? 'some' : 'all'
  }
  if (attributes.some(isAtOrAbove)) return partlyExcluded ? 'some' : 'all'
  return attributes.some(isBelow) ? 'some' : 'none'
}

function startsWith(path: readonly Attribute[], start: readonly Attribute[]): boolean {
  return path.length >= start.length && start.every((step, i) => path[i] === step)
}
