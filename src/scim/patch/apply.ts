/**
 * Applies PATCH operations to a resource (RFC 7644 §3.5.2.1 to §3.5.2.3), in order and atomically. Returns a new resource
 * and does not change the given one. The `members` of a Group are in members.ts, because the members of a large group are
 * not loaded.
 */
import { isKeptOnRemoval } from '../active.ts'
import { target } from '../attribute-path.ts'
import { type Complex, isComplex, sameValue } from '../comparison.ts'
import {
  arrayFromSingle,
  elementFromFilter,
  fromSingletonList,
  isReplacedAsAWhole,
  noTarget,
  removedElements,
  requireRemoved,
} from '../compatibility/patch.ts'
import { complexFromShorthand, isUnassigned } from '../compatibility/values.ts'
import {
  addElements,
  distinct,
  identityOf,
  keepOnePrimary,
  requireMaxElements,
  withoutElements,
} from '../elements.ts'
import { badRequest, type ScimError } from '../error.ts'
import type { Filter } from '../filter/ast.ts'
import { evaluateFilter } from '../filter/evaluate.ts'
import type { CollectingReading, Reading } from '../reading.ts'
import type { Attribute } from '../schema/definition.ts'
import { findAttribute } from '../schema/lookup.ts'
import { isExtension } from '../schema/resource-type.ts'
import { canonicalElement, canonicalValue, requireComplete } from '../validation.ts'
import type { Work } from '../work.ts'
import type { PatchOperation } from './operation.ts'

export interface Patched {
  readonly resource: Complex
  /** Paths of unknown sub-attributes in values. */
  readonly ignored: readonly string[]
}

/**
 * Applies the operations.
 *
 * @param resource in canonical form: see validateResource
 * @throws {ScimError} mutability, noTarget, invalidValue
 */
export function applyPatch(
  resource: Complex,
  operations: readonly PatchOperation[],
  reading: Reading,
): Patched {
  const collecting: CollectingReading = { ...reading, ignored: [] }
  const result = { ...resource }
  const copied = new Set<string>()
  for (const operation of operations) {
    requireWritable(operation)
    reading.work.visit()
    copyOnce(result, operation.target.path.steps[0].name, copied)
    // RFC 7644 §3.5.2 allows operations on "schemas", but here it is derived from the other attributes.
    if (operation.target.path.steps[0].name === 'schemas') continue
    if (operation.target.filter === undefined) applyToPath(result, operation, collecting)
    else applyToSelection(result, operation, collecting)
  }
  return { resource: requireComplete(result, reading.type), ignored: collecting.ignored }
}

/** Copies an attribute before its first change. The other attributes are not copied, because they can be large. */
function copyOnce(resource: Complex, name: string, copied: Set<string>): void {
  if (copied.has(name)) return
  copied.add(name)
  if (resource[name] !== undefined) resource[name] = copyOf(resource[name])
}

function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf)
  if (!isComplex(value)) return value
  // Spread, and not assigned one by one: V8 would make a hash table of a copy with many names, whose names are slow to list.
  const copy: Complex = { ...value }
  for (const name of Object.keys(value)) copy[name] = copyOf(value[name])
  return copy
}

/** RFC 7644 §3.5.2: an operation must not change a readOnly attribute. */
function requireWritable({ op, target: { text, path, subAttribute } }: PatchOperation): void {
  const steps = subAttribute === undefined ? path.steps : [...path.steps, subAttribute]
  if (steps.some((step) => step.mutability === 'readOnly')) {
    throw badRequest('mutability', `attribute "${text}" is read-only and cannot be changed by "${op}"`)
  }
  if (op === 'remove' && path.steps[0].name === 'schemas') throw required(text)
}

function applyToPath(resource: Complex, operation: PatchOperation, reading: CollectingReading): void {
  const { work } = reading
  const { text, path } = operation.target
  const containers = containersOf(resource, path.steps.slice(0, -1), operation.op !== 'remove', work)
  // `emails.value` means the value of each e-mail address, so it has no target if there are none.
  if (containers.length === 0 && operation.op !== 'remove') throw noTarget(text)
  const attribute = target(path)
  const isThere = containers.some((container) => container[attribute.name] !== undefined)
  for (const container of containers) setAttribute({ container, attribute, text }, operation, reading)
  // Without a value to remove, nothing became empty. To look takes long in elements with many sub-attributes.
  if (isThere || operation.op !== 'remove') prune(resource, path.steps, work)
}

/**
 * The objects that contain the last attribute of the path. A path through a multi-valued attribute without a filter, such
 * as `emails.value`, means each of its elements.
 */
function containersOf(
  resource: Complex,
  steps: readonly Attribute[],
  create: boolean,
  work: Work,
): readonly Complex[] {
  return steps.reduce<readonly Complex[]>(
    (containers, step) =>
      containers.flatMap((container) => {
        if (container[step.name] === undefined && create && !step.multiValued) container[step.name] = {}
        const value = container[step.name]
        if (Array.isArray(value)) work.visit(value.length)
        return (Array.isArray(value) ? value : [value]).filter(isComplex)
      }),
    [resource],
  )
}

/** An attribute of an object that an operation changes. */
interface Place {
  /** Changed in place. */
  readonly container: Complex
  readonly attribute: Attribute
  /** The path of the attribute, for error messages. */
  readonly text: string
}

function setAttribute(place: Place, operation: PatchOperation, reading: CollectingReading): void {
  const { container, attribute, text } = place
  const { op } = operation
  const { profile, work } = reading
  if (op === 'remove') {
    removeAttribute(place, operation.value, reading)
    return
  }
  const value = attribute.multiValued ? operation.value : fromSingletonList(operation.value, profile)
  if (isUnassigned(attribute, value, profile)) {
    // An unassigned value is a no-op for add, and clears the attribute for replace.
    if (op === 'replace') removeAttribute(place, undefined, reading)
    return
  }
  if (attribute.subAttributes !== undefined && !attribute.multiValued) {
    mergeComplex(place, { ...operation, value }, reading)
    return
  }
  const canonical = canonicalValue(attribute, arrayFromSingle(attribute, value, profile), text, reading)
  if (attribute.multiValued && op === 'replace') {
    assignElements(container, attribute, elements(canonical))
  } else if (attribute.multiValued) {
    const list = elementsOf(container, attribute)
    const count = list.length
    keepOnePrimary(list, addElements(attribute, list, elements(canonical), work), work)
    if (list.length > count) requireMaxElements(attribute, list.length, text)
    assignElements(container, attribute, list)
  } else {
    requireMutable(container, attribute, canonical, text)
    container[attribute.name] = canonical
  }
}

/** RFC 7644 §3.5.2.2: removing a required attribute fails with "mutability". */
function removeAttribute({ container, attribute, text }: Place, value: unknown, reading: Reading): void {
  if (isKeptOnRemoval(attribute)) return
  if (attribute.required) throw required(text)
  requireMutable(container, attribute, undefined, text)
  const removed = attribute.multiValued ? removedElements(value, text, reading.profile) : undefined
  if (removed === undefined) {
    delete container[attribute.name]
    return
  }
  const unwanted = elements(canonicalValue(attribute, removed, text, withoutCollecting(reading)))
  const list = elementsOf(container, attribute)
  assignElements(container, attribute, withoutElements(attribute, list, unwanted, reading.work))
}

/**
 * Applies each sub-attribute that was sent as a separate operation. RFC 7644 §3.5.2.3: "Sub-attributes that are not
 * specified SHALL be left unchanged", for both add and replace.
 */
function mergeComplex(place: Place, operation: PatchOperation, reading: CollectingReading): void {
  const { container, attribute, text } = place
  const sent = complexFromShorthand(attribute, operation.value, reading)
  if (sent === null) {
    removeAttribute(place, undefined, reading)
    return
  }
  const before = container[attribute.name]
  const merged: Complex = isComplex(before) ? { ...before } : {}
  mergeInto(merged, { attribute, text }, { ...operation, value: sent }, reading)
  if (isNotEmpty(merged, attribute)) container[attribute.name] = merged
  else delete container[attribute.name]
}

/** Sets each sub-attribute of the operation's value. @param object changed in place */
function mergeInto(
  object: Complex,
  { attribute, text }: Omit<Place, 'container'>,
  operation: PatchOperation,
  reading: CollectingReading,
): void {
  // Validates the value and collects the names of unknown sub-attributes.
  canonicalElement(attribute, operation.value, text, reading)
  for (const [name, value] of Object.entries(operation.value as Complex)) {
    const subAttribute = findAttribute(attribute.subAttributes, name)
    if (subAttribute === undefined || subAttribute.mutability === 'readOnly') continue
    const subText = `${text}${isExtension(attribute) ? ':' : '.'}${subAttribute.name}`
    const place = { container: object, attribute: subAttribute, text: subText }
    setAttribute(place, { ...operation, value }, withoutCollecting(reading))
  }
}

function applyToSelection(resource: Complex, operation: PatchOperation, reading: CollectingReading): void {
  const { profile, work } = reading
  const { path, filter, subAttribute } = operation.target
  const attribute = target(path)
  if (filter === undefined) return
  const isRemoval = operation.op === 'remove'
  const [container = {}] = containersOf(resource, path.steps.slice(0, -1), !isRemoval, work)
  const before = elementsOf(container, attribute)
  const isSelected = (element: unknown) => isComplex(element) && evaluateFilter(filter, element, work)
  work.visit(before.length)
  const selected = before.filter(isSelected).filter(isComplex)
  if (isRemoval) requireRemoved(selected.length, operation.target.text, profile)
  if (isRemoval && subAttribute === undefined) {
    const removed = new Set<unknown>(selected)
    assignElements(
      container,
      attribute,
      before.filter((element) => !removed.has(element)),
    )
  } else {
    const identities = selected.map((element) => identityOf(attribute, element, work))
    for (const element of selected) setElement(element, operation, reading)
    const created = selected.length > 0 || isRemoval ? [] : createElement(filter, operation, reading)
    let list = [...before.filter((element) => isNotEmpty(element, attribute)), ...created]
    keepOnePrimary(list, [...selected, ...created], work)
    // A changed element may now be a duplicate of another one.
    if (
      created.length > 0 ||
      selected.some((element, i) => identityOf(attribute, element, work) !== identities[i])
    ) {
      list = distinct(attribute, list, work)
    }
    if (list.length > before.length) requireMaxElements(attribute, list.length, operation.target.text)
    assignElements(container, attribute, list)
  }
  prune(resource, path.steps, work)
}

/** @returns the element that the filter describes with the value set; empty if the value is unassigned */
function createElement(
  filter: Filter,
  operation: PatchOperation,
  reading: CollectingReading,
): readonly Complex[] {
  const described = elementFromFilter(filter, reading.profile)
  if (described === undefined) throw noTarget(operation.target.text)
  // Values from the filter must satisfy the same limits as other values.
  const { path, text } = operation.target
  const element = canonicalElement(target(path), { ...described }, text, withoutCollecting(reading))
  if (!isComplex(element)) throw noTarget(text)
  setElement(element, { ...operation, op: 'add' }, reading)
  return sameValue(element, described) ? [] : [element]
}

/** Sets the sub-attribute of the path in a selected element, or all sub-attributes of the value if the path has none. */
function setElement(element: Complex, operation: PatchOperation, reading: CollectingReading): void {
  const { op, value, target: to } = operation
  if (to.subAttribute !== undefined) {
    setAttribute({ container: element, attribute: to.subAttribute, text: to.text }, operation, reading)
    return
  }
  const attribute = target(to.path)
  const { profile } = reading
  const sent = complexFromShorthand(attribute, fromSingletonList(value, profile), reading)
  const isNone = isUnassigned(attribute, sent, profile)
  if (isNone ? op === 'replace' : isReplacedAsAWhole(op, profile)) {
    for (const name of Object.keys(element)) delete element[name]
  }
  if (!isNone) mergeInto(element, { attribute, text: to.text }, { ...operation, value: sent }, reading)
}

/** RFC 7643 §7: an immutable attribute may be set only once. A complex value that contains one cannot be removed either. */
function requireMutable(container: Complex, attribute: Attribute, value: unknown, text: string): void {
  const before = container[attribute.name]
  if (attribute.mutability === 'immutable' && before !== undefined && !sameValue(before, value)) {
    throw badRequest('mutability', `attribute "${text}" is immutable and already has a value`)
  }
  if (value !== undefined || !isComplex(before)) return
  for (const sub of attribute.subAttributes ?? []) {
    requireMutable(before, sub, undefined, `${text}${isExtension(attribute) ? ':' : '.'}${sub.name}`)
  }
}

function required(text: string): ScimError {
  return badRequest('mutability', `attribute "${text}" is required and cannot be removed`)
}

/** For values whose unknown attributes are already collected or were not sent by the client. */
function withoutCollecting(reading: Reading): CollectingReading {
  return { ...reading, ignored: [] }
}

function elementsOf(container: Complex, attribute: Attribute): unknown[] {
  return elements(container[attribute.name])
}

function elements(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

function assignElements(container: Complex, attribute: Attribute, list: readonly unknown[]): void {
  if (list.length === 0) delete container[attribute.name]
  else container[attribute.name] = list
}

function isNotEmpty(value: unknown, { subAttributes = [] }: Attribute): boolean {
  if (!isComplex(value)) return true
  // Mostly, one of the first is there. To list all names takes long in a value with many of them.
  return subAttributes.some(({ name }) => Object.hasOwn(value, name)) || Object.keys(value).length > 0
}

/** RFC 7643 §2.5: a complex value without sub-attributes is unassigned. */
function prune(resource: Complex, steps: readonly Attribute[], work: Work): void {
  const [step, ...rest] = steps
  if (step === undefined) return
  const value = resource[step.name]
  if (Array.isArray(value) && rest.length > 0) {
    work.visit(value.length)
    // The list must be a new one, because elements.ts caches the positions of elements by list.
    assignElements(
      resource,
      step,
      value.filter((element) => isNotEmpty(element, step)),
    )
  }
  if (!isComplex(value)) return
  prune(value, rest, work)
  if (!isNotEmpty(value, step)) delete resource[step.name]
}
