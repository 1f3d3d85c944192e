/**
 * `disablesInPart`: a PATCH that disables a user succeeds even if some of its operations are rejected. According to
 * RFC 7644 §3.5.2 a PATCH is atomic.
 *
 * Identity providers send all changes of a leaver in one PATCH and repeat it until it is accepted. A title that is too
 * long, a userName in use or a mapping to an unknown attribute would therefore preserve the leaver's access, and users
 * can often choose such values themselves. If the last operation on "active" sets it to false, each operation that is
 * rejected on its own is omitted, and reported with the reason in the provisioning log. The other operations are applied
 * in order, in one write. Each single operation remains atomic.
 *
 * A PATCH that can be applied completely is not affected. Malformed messages (`invalidSyntax`), failed preconditions and
 * requests beyond the work limit are still rejected. But a user with very many values must not preserve its access by the
 * work that they cause: of a PATCH with few operations, only those on "active" are then applied. A PUT has no independent
 * operations and is rejected as a whole. A client can request the atomic PATCH of the RFC with `Prefer: handling=strict`
 * (RFC 7240 §4.4).
 */
import { canBeDisabled, isActive } from '../active.ts'
import type { Complex } from '../comparison.ts'
import { ScimError } from '../error.ts'
import { noteIgnored } from '../ignored.ts'
import { MAX_DISABLING_OPERATIONS, MAX_IGNORED_NAMES } from '../limits.ts'
import { applyPatch, type Patched } from '../patch/apply.ts'
import type { Omission, ParsedPatch, PatchOperation } from '../patch/operation.ts'
import type { Profile } from '../profile.ts'
import type { Reading } from '../reading.ts'
import { ACTIVE } from '../schema/user.ts'
import { ERROR_UNITS, type Work } from '../work.ts'
import { fromSingletonList } from './patch.ts'
import { booleanFromText } from './values.ts'

/** Parses or applies one operation. @returns undefined if the operation is rejected and omitted */
export type Attempt = <Result>(name: string, run: () => Result) => Result | undefined

/** True if rejected operations of the PATCH are omitted. */
export function allowsOmissions({ operations, isStrict }: ParsedPatch, profile: Profile): boolean {
  return profile.deviations.disablesInPart && !isStrict && disablesUser(operations, profile)
}

/** True if the last operation that sets "active" sets it to false. Operations that keep its value do not count: see active.ts. */
function disablesUser(operations: readonly PatchOperation[], profile: Profile): boolean {
  const stated = operations.map((operation) => statedActive(operation, profile))
  return stated.findLast((active) => active !== undefined) === false
}

function statedActive({ op, target, value }: PatchOperation, profile: Profile): boolean | undefined {
  if (op === 'remove' || target.path.steps[0] !== ACTIVE) return undefined
  const stated = booleanFromText(fromSingletonList(value, profile), profile)
  return typeof stated === 'boolean' ? stated : undefined
}

/**
 * Parses the operations of a PATCH. If it disables a user, operations that cannot be parsed are omitted.
 *
 * @param isStrict whether the client requested an atomic PATCH
 * @param parse is called with `omissions`, to which its attempts add
 * @throws {ScimError} the error of the first rejected operation, if operations may not be omitted
 */
export function parseDisabling(
  { type, profile, work }: Reading,
  isStrict: boolean,
  parse: (attempt: Attempt, omissions: readonly Omission[]) => ParsedPatch,
): ParsedPatch {
  try {
    return parse((_, run) => run(), [])
  } catch (error) {
    const isAllOrNothing = isStrict || !profile.deviations.disablesInPart || !canBeDisabled(type)
    if (isAllOrNothing || !concernsOneOperation(error, work)) throw error
    const omissions: Omission[] = []
    const patch = parse(omittingRefused(omissions, work), omissions)
    if (!disablesUser(patch.operations, profile)) throw error
    return patch
  }
}

/** The result of a PATCH. */
export interface PatchedResource extends Patched {
  /** The reasons for omitted operations; null if none was omitted. */
  readonly detail: string | null
}

/**
 * Applies the operations of a PATCH to a resource. If they disable it, rejected operations are omitted.
 *
 * @param resource in canonical form, as for applyPatch
 * @throws {ScimError} as applyPatch
 */
export function applyDisablingPatch(
  resource: Complex,
  patch: ParsedPatch,
  reading: Reading,
): PatchedResource {
  try {
    return applyInPart(resource, patch, reading)
  } catch (error) {
    const { operations } = patch
    const isOfStored = reading.work.isExhausted && operations.length <= MAX_DISABLING_OPERATIONS
    if (!(error instanceof ScimError) || !isOfStored || !allowsOmissions(patch, reading.profile)) throw error
    return disableOnly(resource, patch, error, reading)
  }
}

function applyInPart(resource: Complex, patch: ParsedPatch, reading: Reading): PatchedResource {
  const { profile, work } = reading
  const { operations, ignored, omissions } = patch
  try {
    return withOmissions(applyPatch(resource, operations, reading), ignored, omissions)
  } catch (error) {
    if (!concernsOneOperation(error, work) || !allowsOmissions(patch, profile)) throw error
    const more: Omission[] = [...omissions]
    const patched = applyEach(resource, operations, omittingRefused(more, work), reading)
    if (isActive(patched.resource)) throw error
    return withOmissions(patched, ignored, more)
  }
}

/** @param error that of the work limit, which is the reason for the omission of all other operations */
function disableOnly(
  resource: Complex,
  { operations, ignored, omissions }: ParsedPatch,
  error: ScimError,
  reading: Reading,
): PatchedResource {
  const disabling = operations.filter(({ target }) => target.path.steps[0] === ACTIVE)
  const omitted = operations.filter((operation) => !disabling.includes(operation))
  const patched = applyPatch(resource, disabling, { ...reading, work: reading.work.unlimited() })
  if (isActive(patched.resource)) throw error
  const more = omitted.map(({ target }) => ({ name: target.text, reason: error.detail }))
  return withOmissions(patched, ignored, [...omissions, ...more])
}

/**
 * Omits the operations on an attribute whose value conflicts with another resource.
 *
 * @throws {ScimError} the given error, if operations may not be omitted
 */
export function withoutAttribute(
  patch: ParsedPatch,
  name: string,
  error: ScimError,
  profile: Profile,
): ParsedPatch {
  if (!allowsOmissions(patch, profile)) throw error
  const operations = patch.operations.filter(({ target }) => target.path.steps[0].name !== name)
  return { ...patch, operations, omissions: [...patch.omissions, { name, reason: error.detail }] }
}

/** Applies each operation separately, so that a rejected one has no effect. */
function applyEach(
  before: Complex,
  operations: readonly PatchOperation[],
  attempt: Attempt,
  reading: Reading,
): Patched {
  const ignored: string[] = []
  let resource = before
  for (const operation of operations) {
    // applyPatch copies the changed attribute and validates the whole resource.
    reading.work.visit(reading.type.attributes.length + sizeOf(resource))
    const patched = attempt(operation.target.text, () => applyPatch(resource, [operation], reading))
    if (patched === undefined) continue
    resource = patched.resource
    for (const name of patched.ignored) noteIgnored(ignored, name)
  }
  return { resource, ignored }
}

/** The number of attributes and elements, at all levels. */
function sizeOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1
  return Object.values(value).reduce((sum: number, part) => sum + sizeOf(part), 1)
}

function omittingRefused(omissions: Omission[], work: Work): Attempt {
  return (name, run) => {
    try {
      return run()
    } catch (error) {
      if (!concernsOneOperation(error, work)) throw error
      work.spend(ERROR_UNITS)
      if (omissions.length < MAX_IGNORED_NAMES) omissions.push({ name, reason: error.detail })
      return undefined
    }
  }
}

/** True if the error rejects one operation and not the whole request. */
function concernsOneOperation(error: unknown, work: Work): error is ScimError {
  const isRefusal = error instanceof ScimError && error.status === 400 && error.scimType !== 'invalidSyntax'
  return isRefusal && !work.isExhausted
}

/** Adds the names and reasons for the provisioning log. Omitted operations come first. */
function withOmissions(
  { resource, ignored }: Patched,
  unknown: readonly string[],
  omissions: readonly Omission[],
): PatchedResource {
  const names: string[] = []
  for (const name of [...omissions.map((omission) => omission.name), ...unknown, ...ignored]) {
    noteIgnored(names, name)
  }
  const reasons = [...new Set(omissions.map(({ reason }) => reason))]
  return { resource, ignored: names, detail: reasons.length === 0 ? null : `omitted: ${reasons.join('; ')}` }
}
