/**
 * The elements of a multi-valued attribute as a set (RFC 7643 §2.4): what makes two of them the same,
 * adding and removing. Many operations may add to one list, so adding does not read the list through.
 */
import {
  type Complex,
  comparisonDocument,
  comparisonKey,
  isComplex,
  type Scalar,
  sameValue,
} from './comparison.ts'
import type { Attribute } from './schema/definition.ts'

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
): readonly unknown[] {
  const known = positionsIn(attribute, list)
  return added.map((element) => {
    const identity = identityOf(attribute, element)
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
export function distinct(attribute: Attribute, elements: readonly unknown[]): unknown[] {
  const list: unknown[] = []
  addElements(attribute, list, elements)
  return list
}

/** The list without the elements that hold everything that one of the unwanted holds. */
export function withoutElements(
  attribute: Attribute,
  list: readonly unknown[],
  unwanted: readonly unknown[],
): unknown[] {
  const byValue = Map.groupBy(
    unwanted.map((element) => keyOf(attribute, element)),
    valueIn,
  )
  const withoutValue = byValue.get(undefined) ?? []
  return list.filter((element) => {
    const key = keyOf(attribute, element)
    const candidates = [...(byValue.get(valueIn(key)) ?? []), ...withoutValue]
    return !candidates.some((candidate) => isWithin(candidate, key))
  })
}

/**
 * RFC 7644 §3.5.2: when a value becomes primary, the server SHALL set "primary" of the others to false.
 *
 * @param list changed in place
 * @param touched elements of the list that an operation set
 */
export function onePrimary(list: unknown[], touched: readonly unknown[]): void {
  if (!touched.some(isPrimary)) return
  const kept = new Set(touched)
  for (const [i, element] of list.entries()) {
    if (isPrimary(element) && !kept.has(element)) list[i] = { ...element, primary: false }
  }
}

/** True of an element whose "primary" is true. */
export function isPrimary(element: unknown): element is Complex {
  return isComplex(element) && element.primary === true
}

/** What makes an element the same as another: its value and type, or everything but "primary" where it has no value, as an address. */
export function identityOf(attribute: Attribute, element: unknown): string {
  const key = keyOf(attribute, element)
  if (!isComplex(key)) return JSON.stringify(key)
  const { primary, ...rest } = key
  return JSON.stringify(rest.value === undefined ? rest : [rest.value, rest.type])
}

function positionsIn(attribute: Attribute, list: unknown[]): Map<string, number> {
  const known = positions.get(list) ?? new Map(list.map((element, i) => [identityOf(attribute, element), i]))
  positions.set(list, known)
  return known
}

function keyOf(attribute: Attribute, element: unknown): unknown {
  return isComplex(element)
    ? comparisonDocument(element, attribute.subAttributes ?? [])
    : comparisonKey(attribute, element as Scalar)
}

function valueIn(key: unknown): unknown {
  return isComplex(key) ? key.value : key
}

function isWithin(part: unknown, whole: unknown): boolean {
  if (!isComplex(part) || !isComplex(whole)) return sameValue(part, whole)
  return Object.entries(part).every(([name, value]) => sameValue(whole[name], value))
}
