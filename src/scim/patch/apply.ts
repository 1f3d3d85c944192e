/**
 * Applies PATCH operations to a resource (RFC 7644 §3.5.2.1 to §3.5.2.3), in order, all or nothing.
 * Pure: returns a new resource, never changes the one given. `members` of a Group is not here: the
 * members of a large group are never loaded (see members.ts).
 */
import { type Complex, isComplex, sameValue } from '../comparison.ts'
import { badRequest } from '../error.ts'
import { evaluateFilter } from '../filter/evaluate.ts'
import type { Attribute, ResourceType } from '../schema/definition.ts'
import { findAttribute } from '../schema/lookup.ts'
import { canonicalValue, requireComplete } from '../validation.ts'
import {
  arrayFromSingle,
  complexFromShorthand,
  elementFromFilter,
  isUnassigned,
  removedElements,
} from './compatibility.ts'
import type { PatchOperation } from './parse.ts'

export interface Patched {
  readonly resource: Complex
  /** Paths of unknown sub-attributes in values. */
  readonly ignored: readonly string[]
}

/**
 * Applies the operations.
 *
 * @param resource in canonical form: see validateResource
 * @throws {ScimError} mutability, noTarget, invalidValue; the resource given is then as it was
 */
export function applyPatch(
  resource: Complex,
  operations: readonly PatchOperation[],
  type: ResourceType,
): Patched {
  const ignored: string[] = []
  const result = structuredClone(resource)
  for (const operation of operations) {
    requireWritable(operation)
    if (operation.target.filter === undefined) applyToPath(result, operation, ignored)
    else applyToSelection(result, operation, ignored)
  }
  return { resource: requireComplete(result, type), ignored }
}

/** RFC 7644 §3.5.2: a readOnly attribute named by a path cannot be changed. */
function requireWritable({ op, target: { text, path, subAttribute } }: PatchOperation): void {
  const steps = subAttribute === undefined ? path.steps : [...path.steps, subAttribute]
  if (steps.some((step) => step.mutability === 'readOnly') || path.steps[0].name === 'schemas') {
    throw badRequest('mutability', `attribute "${text}" is read-only, so "${op}" cannot change it`)
  }
}

function applyToPath(resource: Complex, operation: PatchOperation, ignored: string[]): void {
  const { text, path } = operation.target
  const containers = containersOf(resource, path.steps.slice(0, -1), operation.op !== 'remove')
  const attribute = path.steps.at(-1) ?? path.steps[0]
  for (const container of containers) setAttribute(container, attribute, operation, text, ignored)
  prune(resource, path.steps)
}

/**
 * The objects that hold the attribute at the end of the path. A multi-valued attribute on the way
 * (`emails.value`, without a filter) means each of its elements.
 */
function containersOf(resource: Complex, steps: readonly Attribute[], create: boolean): readonly Complex[] {
  return steps.reduce<readonly Complex[]>(
    (containers, step) =>
      containers.flatMap((container) => {
        if (container[step.name] === undefined && create && !step.multiValued) container[step.name] = {}
        const value = container[step.name]
        return (Array.isArray(value) ? value : [value]).filter(isComplex)
      }),
    [resource],
  )
}

function setAttribute(
  container: Complex,
  attribute: Attribute,
  operation: PatchOperation,
  text: string,
  ignored: string[],
): void {
  const { op, value } = operation
  if (op === 'remove') {
    removeAttribute(container, attribute, value, text)
    return
  }
  if (isUnassigned(attribute, value)) {
    // Adding nothing changes nothing; replacing with nothing clears.
    if (op === 'replace') removeAttribute(container, attribute, undefined, text)
    return
  }
  if (attribute.subAttributes !== undefined && !attribute.multiValued) {
    mergeComplex(container, attribute, operation, text, ignored)
    return
  }
  const canonical = canonicalValue(attribute, arrayFromSingle(attribute, value), text, ignored)
  if (attribute.multiValued) {
    const before = op === 'add' ? elementsOf(container, attribute) : []
    assignElements(container, attribute, addElements(before, elements(canonical)))
  } else {
    requireMutable(container, attribute, canonical, text)
    container[attribute.name] = canonical
  }
}

/** RFC 7644 §3.5.2.2: removing a required attribute fails with "mutability". */
function removeAttribute(container: Complex, attribute: Attribute, value: unknown, text: string): void {
  if (attribute.required) {
    throw badRequest('mutability', `attribute "${text}" is required, so it cannot be removed`)
  }
  const removed = attribute.multiValued ? removedElements(value) : undefined
  if (removed === undefined) {
    delete container[attribute.name]
    return
  }
  const unwanted = elements(canonicalValue(attribute, removed, text, []))
  const kept = elementsOf(container, attribute).filter(
    (element) => !unwanted.some((other) => isSelectedBy(element, other)),
  )
  assignElements(container, attribute, kept)
}

/** An element is meant when every sub-attribute that was sent is the same. */
function isSelectedBy(element: unknown, sent: unknown): boolean {
  if (!isComplex(element) || !isComplex(sent)) return sameValue(element, sent)
  return Object.entries(sent).every(([name, value]) => sameValue(element[name], value))
}

/**
 * RFC 7644 §3.5.2.3: "Sub-attributes that are not specified SHALL be left unchanged", for add and replace
 * alike; so each sub-attribute that was sent is an operation of its own.
 */
function mergeComplex(
  container: Complex,
  attribute: Attribute,
  operation: PatchOperation,
  text: string,
  ignored: string[],
): void {
  const sent = complexFromShorthand(attribute, operation.value)
  if (sent === null) {
    removeAttribute(container, attribute, undefined, text)
    return
  }
  // Refuses what is no object, and finds what we do not know.
  canonicalValue(attribute, sent, text, ignored)
  const before = container[attribute.name]
  const merged: Complex = isComplex(before) ? { ...before } : {}
  for (const [name, value] of Object.entries(sent as Complex)) {
    const subAttribute = findAttribute(attribute.subAttributes ?? [], name)
    if (subAttribute === undefined || subAttribute.mutability === 'readOnly') continue
    setAttribute(merged, subAttribute, { ...operation, value }, `${text}.${subAttribute.name}`, [])
  }
  if (isNotEmpty(merged)) container[attribute.name] = merged
  else delete container[attribute.name]
}

function applyToSelection(resource: Complex, operation: PatchOperation, ignored: string[]): void {
  const { op, value, target } = operation
  const { path, filter, subAttribute, text } = target
  const attribute = path.steps.at(-1) ?? path.steps[0]
  if (filter === undefined) return
  const [container = {}] = containersOf(resource, path.steps.slice(0, -1), true)
  const before = elementsOf(container, attribute)
  const isSelected = (element: unknown) => isComplex(element) && evaluateFilter(filter, element)
  // Removing what is not there is done already; it is no error here as it is none for members.
  if (op === 'remove' && subAttribute === undefined) {
    assignElements(
      container,
      attribute,
      before.filter((element) => !isSelected(element)),
    )
    prune(resource, path.steps)
    return
  }
  let selected = before.filter(isSelected).filter(isComplex)
  if (selected.length === 0 && op !== 'remove') {
    const element = elementFromFilter(filter)
    if (element === undefined)
      throw badRequest('noTarget', `path "${text}" selects no value of "${attribute.name}"`)
    before.push(element)
    selected = [element]
  }
  for (const element of selected) {
    if (subAttribute !== undefined) setAttribute(element, subAttribute, operation, text, ignored)
    else replaceElement(element, attribute, op, value, text, ignored)
  }
  assignElements(container, attribute, onePrimary(before.filter(isNotEmpty), selected))
  prune(resource, path.steps)
}

/** Without a sub-attribute: "replace" puts the value in place of the element, "add" merges it in. */
function replaceElement(
  element: Complex,
  attribute: Attribute,
  op: PatchOperation['op'],
  value: unknown,
  text: string,
  ignored: string[],
): void {
  const sent = Array.isArray(value) && value.length === 1 ? value[0] : value
  const [canonical] = elements(canonicalValue(attribute, [sent], text, ignored))
  if (op === 'replace') for (const name of Object.keys(element)) delete element[name]
  Object.assign(element, canonical)
}

/**
 * RFC 7644 §3.5.2.1: adding a value that exists already changes nothing; RFC 7643 §2.4: the pair of
 * "value" and "type" stands once in an attribute, so an element with the same pair takes the rest over.
 */
function addElements(before: readonly unknown[], added: readonly unknown[]): readonly unknown[] {
  const result = [...before]
  const touched: unknown[] = []
  for (const element of added) {
    const twin = result.findIndex((other) => isSameElement(other, element))
    const merged = isComplex(element) && isComplex(result[twin]) ? { ...result[twin], ...element } : element
    if (twin < 0) result.push(merged)
    else result[twin] = merged
    touched.push(merged)
  }
  return onePrimary(result, touched)
}

function isSameElement(a: unknown, b: unknown): boolean {
  if (!isComplex(a) || !isComplex(b)) return sameValue(a, b)
  if (a.value === undefined && b.value === undefined) return sameValue(a, b)
  return sameValue(a.value, b.value) && sameValue(a.type, b.type)
}

/** RFC 7644 §3.5.2: when a value becomes primary, the server SHALL set "primary" of the others to false. */
function onePrimary(all: readonly unknown[], touched: readonly unknown[]): readonly unknown[] {
  const isPrimary = (element: unknown) => isComplex(element) && element.primary === true
  if (!touched.some(isPrimary)) return all
  return all.map((element) =>
    isComplex(element) && isPrimary(element) && !touched.includes(element)
      ? { ...element, primary: false }
      : element,
  )
}

/** RFC 7643 §7: an immutable attribute may be given a value once. */
function requireMutable(container: Complex, attribute: Attribute, value: unknown, text: string): void {
  const before = container[attribute.name]
  if (attribute.mutability === 'immutable' && before !== undefined && !sameValue(before, value)) {
    throw badRequest('mutability', `attribute "${text}" is immutable and has a value already`)
  }
}

function elementsOf(container: Complex, attribute: Attribute): unknown[] {
  return elements(container[attribute.name])
}

function elements(value: unknown): unknown[] {
  return Array.isArray(value) ? [...value] : []
}

function assignElements(container: Complex, attribute: Attribute, list: readonly unknown[]): void {
  if (list.length === 0) delete container[attribute.name]
  else container[attribute.name] = list
}

function isNotEmpty(value: unknown): boolean {
  return !isComplex(value) || Object.keys(value).length > 0
}

/** RFC 7643 §2.5: a complex attribute without sub-attributes is unassigned. */
function prune(resource: Complex, steps: readonly Attribute[]): void {
  const [step, ...rest] = steps
  const value = step && resource[step.name]
  if (step === undefined || !isComplex(value)) return
  prune(value, rest)
  if (!isNotEmpty(value)) delete resource[step.name]
}
