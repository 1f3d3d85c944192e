/**
 * The elements of a multi-valued attribute as a set (RFC 7643 §2.4): what makes two of them the same,
 * adding and removing. Many operations may add to one list, so adding does not read the list through.
 */

import { type Complex, comparisonDocument, comparisonKey, isComplex, type Scalar } from './comparison.ts'
import { badRequest } from './error.ts'
import type { Attribute } from './schema/definition.ts'
import { findAttribute } from './schema/lookup.ts'
import type { Work } from './work.ts'

/** Where each element of a list stands, by its identity. Lists are only added to, else made anew. */
const positions = new WeakMap<unknown[], Map<string, number>>()

/**
 * Adds elements to a list, in place. RFC 7643 §2.4: the same pair of "type" and "value" should not stand
 * twice in an attribute, so an element with the same pair takes the other sub-attributes over.
 *
 * @returns the elements as they stand in the list now
 */
export function addElements(
  attribute: Attribute,
  list: unknown[],
  added: readonly unknown[],
  work: Work,
): readonly unknown[] {
  const known = positionsIn(attribute, list, work)
  return added.map((element) => {
    const identity = identityOf(attribute, element, work)
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

/** A new list in which no element stands twice. */
export function distinct(attribute: Attribute, elements: readonly unknown[], work: Work): unknown[] {
  const list: unknown[] = []
  addElements(attribute, list, elements, work)
  return list
}

/**
 * Refuses a list that is longer than the attribute may have.
 *
 * @param path for the message
 * @throws {ScimError} invalidValue
 */
export function requireMaxElements({ maxElements }: Attribute, count: number, path: string): void {
  if (maxElements === undefined || count <= maxElements) return
  throw badRequest('invalidValue', `attribute "${path}" has ${count} values, the limit is ${maxElements}`)
}

/** The list without the elements that hold everything that one of the unwanted holds. */
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

/** Unwanted elements that hold the same sub-attributes: their keys, by the key of the first sub-attribute. */
interface Shape {
  /** None for elements that are no objects. */
  readonly subAttributes: readonly Attribute[]
  readonly byFirst: Map<unknown, Set<string>>
}

/** There are few shapes, however many elements there are: each element of the list is looked at once for each. */
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

/** The key of a sub-attribute of an element. */
function keyOf(subAttribute: Attribute | undefined, element: unknown, work: Work): Scalar | undefined {
  if (subAttribute === undefined || !isComplex(element)) return undefined
  const value = element[subAttribute.name]
  return value === undefined ? undefined : comparisonKey(subAttribute, value as Scalar, work)
}

/**
 * RFC 7644 §3.5.2: when a value becomes primary, the server SHALL set "primary" of the others to false.
 *
 * @param list changed in place
 * @param touched elements of the list that an operation set
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

/** True of an element whose "primary" is true. */
export function isPrimary(element: unknown): element is Complex {
  return isComplex(element) && element.primary === true
}

/**
 * What makes an element the same as another: its value and type, or everything but "primary" where it has no value, as an
 * address. An immutable value, such as that of a member, is an id, which a type adds nothing to.
 */
export function identityOf(attribute: Attribute, element: unknown, work: Work): string {
  work.visit(2)
  const value = findAttribute(attribute.subAttributes ?? [], 'value')
  const isId = value?.mutability === 'immutable' && value.caseExact
  const id = isId && isComplex(element) && typeof element.value === 'string' ? element.value : undefined
  const identity = id ?? JSON.stringify(identifying(attribute, element, work))
  work.spend(identity.length)
  return identity
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
  const known =
    positions.get(list) ?? new Map(list.map((element, i) => [identityOf(attribute, element, work), i]))
  positions.set(list, known)
  return known
}
