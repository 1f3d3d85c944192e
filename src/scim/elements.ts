/**
 * The elements of a multi-valued attribute as a set (RFC 7643 §2.4): identity, addition and removal. Many operations may
 * add to one list, so an addition does not scan the list.
 */

import { type Complex, comparisonDocument, comparisonKey, isComplex, type Scalar } from './comparison.ts'
import { badRequest } from './error.ts'
import type { Attribute } from './schema/definition.ts'
import { findAttribute } from './schema/lookup.ts'
import type { Work } from './work.ts'

/** The index of each element, by its identity. Valid because lists only grow; any other change creates a new list. */
const positions = new WeakMap<unknown[], Map<string, number>>()

/**
 * Adds elements to a list in place. RFC 7643 §2.4: an attribute should not contain the same pair of "type" and "value"
 * twice, so an added element is merged into an existing one with the same pair.
 *
 * @returns the added elements as they are in the list now
 */
export function addElements(
  attribute: Attribute,
  list: unknown[],
  added: readonly unknown[],
  work: Work,
): readonly unknown[] {
  const known = positionsIn(attribute, list, work)
  const identify = identification(attribute, work)
  return added.map((element) => {
    const identity = identify(element)
    const at = known.get(identity)
    if (at === undefined) {
      known.set(identity, list.push(element) - 1)
      return element
    }
    const twin = list[at]
    const merged = isComplex(twin) && isComplex(element) ? { ...twin, ...element } : element
    list[at] = merged
    return merged
  })
}

/** A new list without duplicates. */
export function distinct(attribute: Attribute, elements: readonly unknown[], work: Work): unknown[] {
  const list: unknown[] = []
  addElements(attribute, list, elements, work)
  return list
}

/**
 * Checks the length of a list against the limit of its attribute.
 *
 * @param path for the error message
 * @throws {ScimError} invalidValue
 */
export function requireMaxElements(
  { maxElements }: Pick<Attribute, 'maxElements'>,
  count: number,
  path: string,
): void {
  if (maxElements === undefined || count <= maxElements) return
  throw badRequest('invalidValue', `attribute "${path}" has ${count} values, the limit is ${maxElements}`)
}

/** The list without the elements that have all sub-attributes of an unwanted element, with equal values. */
export function withoutElements(
  attribute: Attribute,
  list: readonly unknown[],
  unwanted: readonly unknown[],
  work: Work,
): unknown[] {
  const shapes = shapesOf(attribute, unwanted, work)
  work.visit(list.length * shapes.length)
  return list.filter((element) => !shapes.some((shape) => isInShape(attribute, element, shape, work)))
}

/** The comparison keys of unwanted elements with the same set of sub-attributes, by the key of the first sub-attribute. */
interface Shape {
  /** Empty for elements that are not objects. */
  readonly subAttributes: readonly Attribute[]
  readonly byFirst: Map<unknown, Set<string>>
}

/** The number of shapes is small even for many unwanted elements, and each element of the list is compared once per shape. */
function shapesOf(attribute: Attribute, unwanted: readonly unknown[], work: Work): readonly Shape[] {
  const shapes = new Map<string, Shape>()
  for (const element of unwanted) {
    const isHeld = ({ name }: Attribute) => isComplex(element) && element[name] !== undefined
    const subAttributes = (attribute.subAttributes ?? []).filter(isHeld)
    const names = subAttributes.map(({ name }) => name).join()
    const shape = shapes.get(names) ?? { subAttributes, byFirst: new Map<unknown, Set<string>>() }
    shapes.set(names, shape)
    const first = firstKey(attribute, element, shape, work)
    const rests = shape.byFirst.get(first) ?? new Set()
    shape.byFirst.set(first, rests.add(restOfKeys(element, shape, work)))
  }
  return [...shapes.values()]
}

function isInShape(attribute: Attribute, element: unknown, shape: Shape, work: Work): boolean {
  const rests = shape.byFirst.get(firstKey(attribute, element, shape, work))
  return rests?.has(restOfKeys(element, shape, work)) === true
}

function firstKey(
  attribute: Attribute,
  element: unknown,
  { subAttributes: [first] }: Shape,
  work: Work,
): unknown {
  if (first !== undefined) return keyOf(first, element, work)
  return isComplex(element) ? undefined : comparisonKey(attribute, element as Scalar, work)
}

function restOfKeys(element: unknown, { subAttributes }: Shape, work: Work): string {
  if (subAttributes.length < 2) return ''
  const rest = JSON.stringify(subAttributes.slice(1).map((sub) => keyOf(sub, element, work) ?? null))
  work.spend(rest.length)
  return rest
}

/** The comparison key of a sub-attribute of an element. */
function keyOf(subAttribute: Attribute | undefined, element: unknown, work: Work): Scalar | undefined {
  if (subAttribute === undefined || !isComplex(element)) return undefined
  const value = element[subAttribute.name]
  return value === undefined ? undefined : comparisonKey(subAttribute, value as Scalar, work)
}

/**
 * Sets "primary" of all other elements to false if an operation made an element primary (RFC 7644 §3.5.2).
 *
 * @param list changed in place
 * @param touched the elements that the operation set
 */
export function keepOnePrimary(list: unknown[], touched: readonly unknown[], work: Work): void {
  if (!touched.some(isPrimary)) return
  work.spend(list.length)
  const kept = new Set(touched)
  for (let i = 0; i < list.length; i++) {
    const element = list[i]
    if (isPrimary(element) && !kept.has(element)) list[i] = { ...element, primary: false }
  }
}

/** True for an element whose "primary" is true. */
export function isPrimary(element: unknown): element is Complex {
  return isComplex(element) && element.primary === true
}

/**
 * The identity of an element: its "value" and "type". An element without a value, such as an address, is identified by
 * all sub-attributes except "primary". An immutable value, such as the id of a member, is an identity by itself.
 */
export function identityOf(attribute: Attribute, element: unknown, work: Work): string {
  return identification(attribute, work)(element)
}

/** The function that gives the identity of an element of the attribute. */
function identification(attribute: Attribute, work: Work): (element: unknown) => string {
  const value = findAttribute(attribute.subAttributes, 'value')
  const isId = value?.mutability === 'immutable' && value.caseExact
  return (element) => {
    work.visit(2)
    const id = isId && isComplex(element) && typeof element.value === 'string' ? element.value : undefined
    const identity = id ?? JSON.stringify(identifying(attribute, element, work))
    work.spend(identity.length)
    return identity
  }
}

function identifying(attribute: Attribute, element: unknown, work: Work): unknown {
  if (!isComplex(element)) return comparisonKey(attribute, element as Scalar, work)
  const subAttributes = attribute.subAttributes ?? []
  const value = keyOf(findAttribute(subAttributes, 'value'), element, work)
  if (value !== undefined) return [value, keyOf(findAttribute(subAttributes, 'type'), element, work)]
  const { primary, ...rest } = comparisonDocument(element, subAttributes, work)
  return rest
}

function positionsIn(attribute: Attribute, list: unknown[], work: Work): Map<string, number> {
  const identify = identification(attribute, work)
  const known = positions.get(list) ?? new Map(list.map((element, i) => [identify(element), i]))
  positions.set(list, known)
  return known
}
