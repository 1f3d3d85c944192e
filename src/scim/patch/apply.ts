/**
 * Applies PATCH operations to a resource (RFC 7644 §3.5.2.1 to §3.5.2.3), in order, all or nothing.
 * Pure: returns a new resource, never changes the one given. `members` of a Group is not here: the
 * members of a large group are never loaded (see members.ts).
 */
import { keepsValue } from '../active.ts'
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
import { addElements, distinct, identityOf, onePrimary, requireRoom, withoutElements } from '../elements.ts'
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
 * @throws {ScimError} mutability, noTarget, invalidValue; the resource given is then as it was
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
    // RFC 7644 §3.5.2 lets an operation modify "schemas"; here it follows from the other attributes.
    if (operation.target.path.steps[0].name === 'schemas') continue
    if (operation.target.filter === undefined) applyToPath(result, operation, collecting)
    else applyToSelection(result, operation, collecting)
  }
  return { resource: requireComplete(result, reading.type), ignored: collecting.ignored }
}

/** Only what an operation changes is copied, and before its first change: the rest can be a megabyte. */
function copyOnce(resource: Complex, name: string, copied: Set<string>): void {
  if (copied.has(name)) return
  copied.add(name)
  if (resource[name] !== undefined) resource[name] = copyOf(resource[name])
}

function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf)
  if (!isComplex(value)) return value
  const copy: Complex = {}
  for (const name of Object.keys(value)) copy[name] = copyOf(value[name])
  return copy
}

/** RFC 7644 §3.5.2: a readOnly attribute named by a path cannot be changed. */
function requireWritable({ op, target: { text, path, subAttribute } }: PatchOperation): void {
  const steps = subAttribute === undefined ? path.steps : [...path.steps, subAttribute]
  if (steps.some((step) => step.mutability === 'readOnly')) {
    throw badRequest('mutability', `attribute "${text}" is read-only, so "${op}" cannot change it`)
  }
  if (op === 'remove' && path.steps[0].name === 'schemas') throw required(text)
}

function applyToPath(resource: Complex, operation: PatchOperation, reading: CollectingReading): void {
  const { work } = reading
  const { text, path } = operation.target
  const containers = containersOf(resource, path.steps.slice(0, -1), operation.op !== 'remove', work)
  // `emails.value` is a value of each e-mail address: without any there is no place for one.
  if (containers.length === 0 && operation.op !== 'remove') throw noTarget(text)
  for (const container of containers) setAttribute(container, target(path), operation, text, reading)
  prune(resource, path.steps, work)
}

/**
 * The objects that hold the attribute at the end of the path. A multi-valued attribute on the way
 * (`emails.value`, without a filter) means each of its elements.
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

function setAttribute(
  container: Complex,
  attribute: Attribute,
  operation: PatchOperation,
  text: string,
  reading: CollectingReading,
): void {
  const { op } = operation
  const { profile, work } = reading
  if (op === 'remove') {
    removeAttribute(container, attribute, operation.value, text, reading)
    return
  }
  const value = attribute.multiValued ? operation.value : fromSingletonList(operation.value, profile)
  if (isUnassigned(attribute, value, profile)) {
    // Adding nothing changes nothing; replacing with nothing clears.
    if (op === 'replace') removeAttribute(container, attribute, undefined, text, reading)
    return
  }
  if (attribute.subAttributes !== undefined && !attribute.multiValued) {
    mergeComplex(container, attribute, { ...operation, value }, text, reading)
    return
  }
  const canonical = canonicalValue(attribute, arrayFromSingle(attribute, value, profile), text, reading)
  if (attribute.multiValued && op === 'replace') {
    assignElements(container, attribute, elements(canonical))
  } else if (attribute.multiValued) {
    const list = elementsOf(container, attribute)
    const count = list.length
    onePrimary(list, addElements(attribute, list, elements(canonical), work), work)
    if (list.length > count) requireRoom(attribute, list.length, text)
    assignElements(container, attribute, list)
  } else {
    requireMutable(container, attribute, canonical, text)
    container[attribute.name] = canonical
  }
}

/** RFC 7644 §3.5.2.2: removing a required attribute fails with "mutability". */
function removeAttribute(
  container: Complex,
  attribute: Attribute,
  value: unknown,
  text: string,
  reading: Reading,
): void {
  if (keepsValue(attribute)) return
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
 * RFC 7644 §3.5.2.3: "Sub-attributes that are not specified SHALL be left unchanged", for add and replace
 * alike; so each sub-attribute that was sent is an operation of its own.
 */
function mergeComplex(
  container: Complex,
  attribute: Attribute,
  operation: PatchOperation,
  text: string,
  reading: CollectingReading,
): void {
  const sent = complexFromShorthand(attribute, operation.value, reading)
  if (sent === null) {
    removeAttribute(container, attribute, undefined, text, reading)
    return
  }
  const before = container[attribute.name]
  const merged: Complex = isComplex(before) ? { ...before } : {}
  mergeInto(merged, attribute, { ...operation, value: sent }, text, reading)
  if (isNotEmpty(merged)) container[attribute.name] = merged
  else delete container[attribute.name]
}

/** Sets each sub-attribute of the value of the operation in the object, which is changed. */
function mergeInto(
  object: Complex,
  attribute: Attribute,
  operation: PatchOperation,
  text: string,
  reading: CollectingReading,
): void {
  // Refuses what is not an object, and finds what we do not know.
  canonicalElement(attribute, operation.value, text, reading)
  for (const [name, value] of Object.entries(operation.value as Complex)) {
    const subAttribute = findAttribute(attribute.subAttributes ?? [], name)
    if (subAttribute === undefined || subAttribute.mutability === 'readOnly') continue
    const subText = `${text}${isExtension(attribute) ? ':' : '.'}${subAttribute.name}`
    setAttribute(object, subAttribute, { ...operation, value }, subText, withoutCollecting(reading))
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
    let list = [...before.filter(isNotEmpty), ...created]
    onePrimary(list, [...selected, ...created], work)
    // What became another may be the same as a third now.
    if (
      created.length > 0 ||
      selected.some((element, i) => identityOf(attribute, element, work) !== identities[i])
    ) {
      list = distinct(attribute, list, work)
    }
    if (list.length > before.length) requireRoom(attribute, list.length, operation.target.text)
    assignElements(container, attribute, list)
  }
  prune(resource, path.steps, work)
}

/** @returns the element that the filter describes with the value set, none when the value is none */
function createElement(
  filter: Filter,
  operation: PatchOperation,
  reading: CollectingReading,
): readonly Complex[] {
  const described = elementFromFilter(filter, reading.profile)
  if (described === undefined) throw noTarget(operation.target.text)
  // What a filter says is a value like any other: it may not be longer.
  const { path, text } = operation.target
  const element = canonicalElement(target(path), { ...described }, text, withoutCollecting(reading))
  if (!isComplex(element)) throw noTarget(text)
  setElement(element, { ...operation, op: 'add' }, reading)
  return sameValue(element, described) ? [] : [element]
}

/** Sets a sub-attribute of a selected element; without one, those of the value. */
function setElement(element: Complex, operation: PatchOperation, reading: CollectingReading): void {
  const { op, value, target: to } = operation
  if (to.subAttribute !== undefined) {
    setAttribute(element, to.subAttribute, operation, to.text, reading)
    return
  }
  const attribute = target(to.path)
  const { profile } = reading
  const sent = complexFromShorthand(attribute, fromSingletonList(value, profile), reading)
  const isNone = isUnassigned(attribute, sent, profile)
  if (isNone ? op === 'replace' : isReplacedAsAWhole(op, profile)) {
    for (const name of Object.keys(element)) delete element[name]
  }
  if (!isNone) mergeInto(element, attribute, { ...operation, value: sent }, to.text, reading)
}

/** RFC 7643 §7: an immutable attribute may be given a value once. What holds such a value is not removed either. */
function requireMutable(container: Complex, attribute: Attribute, value: unknown, text: string): void {
  const before = container[attribute.name]
  if (attribute.mutability === 'immutable' && before !== undefined && !sameValue(before, value)) {
    throw badRequest('mutability', `attribute "${text}" is immutable and has a value already`)
  }
  if (value !== undefined || !isComplex(before)) return
  for (const sub of attribute.subAttributes ?? []) {
    requireMutable(before, sub, undefined, `${text}${isExtension(attribute) ? ':' : '.'}${sub.name}`)
  }
}

function required(text: string): ScimError {
  return badRequest('mutability', `attribute "${text}" is required, so it cannot be removed`)
}

/** For what was collected already, or is not the client's own. */
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

function isNotEmpty(value: unknown): boolean {
  return !isComplex(value) || Object.keys(value).length > 0
}

/** RFC 7643 §2.5: a complex value without sub-attributes is unassigned. */
function prune(resource: Complex, steps: readonly Attribute[], work: Work): void {
  const [step, ...rest] = steps
  if (step === undefined) return
  const value = resource[step.name]
  if (Array.isArray(value) && rest.length > 0) {
    work.visit(value.length)
    // A new list also where none is empty: the elements are others now, see elements.ts.
    assignElements(resource, step, value.filter(isNotEmpty))
  }
  if (!isComplex(value)) return
  prune(value, rest, work)
  if (!isNotEmpty(value)) delete resource[step.name]
}
