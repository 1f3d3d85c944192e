/**
 * Target attribute paths of attribute mappings: reads their values from a resource and builds a resource from them.
 * Deliberately independent of the server's path parser.
 *
 *   urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:User:nativeObjectId
 *   └────────────────────────── urn ──────────────────────────┘ └─ attribute ─┘
 *   emails[type eq "work"].value
 *   └ attribute  └ selector  └ subAttribute
 */
import type { JsonObject } from '../problem.ts'
import { isObject } from '../problem.ts'

export interface TargetPath {
  readonly urn?: string
  readonly attribute: string
  readonly selector?: { readonly attribute: string; readonly value: string }
  readonly subAttribute?: string
}

const PATH = /^(?:(urn:.+):)?([A-Za-z$][\w$-]*)(?:\[(\w+) eq "([^"]*)"\])?(?:\.([A-Za-z$][\w$-]*))?$/
const CORE = /^urn:ietf:params:scim:schemas:core:2\.0:(User|Group)$/

/** @throws {Error} if the text is not a valid target path of a mapping */
export function parseTargetPath(text: string): TargetPath {
  const match = PATH.exec(text)
  const attribute = match?.[2]
  if (match === null || attribute === undefined)
    throw new Error(
      `"${text}" is not a target attribute: expected a path such as name.givenName or emails[type eq "work"].value`,
    )
  const [, urn, , selectorAttribute, selectorValue, subAttribute] = match
  return {
    attribute,
    ...(urn === undefined || CORE.test(urn) ? {} : { urn }),
    ...(selectorAttribute === undefined || selectorValue === undefined
      ? {}
      : { selector: { attribute: selectorAttribute, value: selectorValue } }),
    ...(subAttribute === undefined ? {} : { subAttribute }),
  }
}

/** Reads the value at a path; undefined if the resource has none. Names are case-insensitive. */
export function readTargetPath(resource: JsonObject, text: string): unknown {
  const path = parseTargetPath(text)
  const holder = path.urn === undefined ? resource : member(resource, path.urn)
  let value = isObject(holder) ? member(holder, path.attribute) : undefined
  if (path.selector !== undefined) value = select(value, path.selector)
  if (path.subAttribute === undefined) return value ?? undefined
  return (isObject(value) ? member(value, path.subAttribute) : undefined) ?? undefined
}

/** Sets the value at a path and creates the objects on the way. */
export function writeTargetPath(resource: Record<string, unknown>, text: string, value: unknown): void {
  const path = parseTargetPath(text)
  const holder = path.urn === undefined ? resource : child(resource, path.urn)
  if (path.selector !== undefined) {
    const element = elementOf(holder, path.attribute, path.selector)
    element[path.subAttribute ?? 'value'] = value
  } else if (path.subAttribute !== undefined) {
    child(holder, path.attribute)[path.subAttribute] = value
  } else {
    holder[path.attribute] = value
  }
}

/** Removes the value at a path. A path that selects an element removes the whole element. */
export function clearTargetPath(resource: Record<string, unknown>, text: string): void {
  const { urn, attribute, selector, subAttribute } = parseTargetPath(text)
  const holder = urn === undefined ? resource : member(resource, urn)
  if (!isObject(holder)) return
  const owner = holder as Record<string, unknown>
  if (selector !== undefined) clearElement(owner, attribute, selector)
  else if (subAttribute === undefined) delete owner[attribute]
  else if (isObject(owner[attribute])) delete (owner[attribute] as Record<string, unknown>)[subAttribute]
}

function clearElement(
  owner: Record<string, unknown>,
  attribute: string,
  selector: { attribute: string; value: string },
): void {
  const list = owner[attribute]
  const element = select(list, selector)
  if (Array.isArray(list)) owner[attribute] = list.filter((other) => other !== element)
}

function member(object: JsonObject, name: string): unknown {
  if (Object.hasOwn(object, name)) return object[name]
  const folded = name.toLowerCase()
  const key = Object.keys(object).find((candidate) => candidate.toLowerCase() === folded)
  return key === undefined ? undefined : object[key]
}

function select(list: unknown, selector: { attribute: string; value: string }): unknown {
  if (!Array.isArray(list)) return undefined
  const wanted = selector.value.toLowerCase()
  return list.find(
    (element) => isObject(element) && String(member(element, selector.attribute)).toLowerCase() === wanted,
  )
}

function child(holder: Record<string, unknown>, name: string): Record<string, unknown> {
  const existing = holder[name]
  if (isObject(existing)) return existing as Record<string, unknown>
  const made: Record<string, unknown> = {}
  holder[name] = made
  return made
}

function elementOf(
  holder: Record<string, unknown>,
  attribute: string,
  selector: { attribute: string; value: string },
): Record<string, unknown> {
  const list = Array.isArray(holder[attribute]) ? (holder[attribute] as unknown[]) : []
  holder[attribute] = list
  const existing = select(list, selector)
  if (isObject(existing)) return existing as Record<string, unknown>
  // `roles[primary eq "True"]` is written with quotation marks; the element has a Boolean.
  const value = selector.attribute === 'primary' ? /^true$/i.test(selector.value) : selector.value
  const made: Record<string, unknown> = { [selector.attribute]: value }
  list.push(made)
  return made
}
