/**
 * `disablesInPart`: a PATCH that disables a user disables it, whatever else is in it. RFC 7644 §3.5.2 has a PATCH applied
 * as a whole or not at all.
 *
 * Identity providers send all that differs of a leaver in one PATCH, and repeat it as it is until it is accepted. One
 * title that is too long, a userName that is taken or a mapping to an attribute that we do not have would keep the
 * leaver's access for as long; and users can often choose such values themselves. So where the last word on "active" is
 * false, an operation that would be refused by itself is left out, and named in the provisioning log with the reason.
 * The others are applied in their order, in one write. Each operation is still applied as a whole or not at all.
 *
 * A PATCH that can be applied as a whole is, so nothing else changes. Refused as ever are malformed messages
 * (`invalidSyntax`), preconditions that fail, and requests that need too much work. PUT has no operations that are
 * independent of each other: it is refused as a whole. A client that wants the RFC's rule for this PATCH too asks for it
 * with the header `Prefer: handling=strict` (RFC 7240 §4.4).
 */
import { canBeDisabled, isActive } from '../active.ts'
import type { Complex } from '../comparison.ts'
import { ScimError } from '../error.ts'
import { noteIgnored } from '../ignored.ts'
import { MAX_IGNORED_NAMES } from '../limits.ts'
import { applyPatch, type Patched } from '../patch/apply.ts'
import type { Omission, ParsedPatch, PatchOperation } from '../patch/operation.ts'
import type { Profile } from '../profile.ts'
import type { Reading } from '../reading.ts'
import { ACTIVE } from '../schema/user.ts'
import { ERROR_UNITS, type Work } from '../work.ts'
import { fromSingletonList } from './patch.ts'
import { booleanFromText } from './values.ts'

/** Runs what concerns one operation. @returns undefined when it was refused and is left out */
export type Attempt = <Result>(name: string, run: () => Result) => Result | undefined

/** True of a PATCH that goes without the operations that are refused. */
export function allowsOmissions({ operations, isStrict }: ParsedPatch, profile: Profile): boolean {
  return profile.deviations.disablesInPart && !isStrict && disablesUser(operations, profile)
}

/** True of operations on a user whose last word on "active" is false. What says nothing of it: see active.ts. */
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
 * Parses all operations; those that can be parsed when they disable a user.
 *
 * @param isStrict whether the client asked for all or nothing
 * @param parse notes what it leaves out in `omissions`
 * @throws {ScimError} from the first operation that is refused
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

/** What a PATCH made of a resource. */
export interface PatchedResource extends Patched {
  /** Why operations were left out; null when none was. */
  readonly detail: string | null
}

/**
 * Applies all operations to a resource; those that can be applied when they disable it.
 *
 * @param resource in canonical form, as for applyPatch
 * @throws {ScimError} as applyPatch
 */
export function applyDisablingPatch(
  resource: Complex,
  patch: ParsedPatch,
  reading: Reading,
): PatchedResource {
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

/**
 * The PATCH without the operations on an attribute that were refused by what other resources hold.
 *
 * @throws {ScimError} the error, when the PATCH does not disable a user, or its client asked for all or nothing
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

/** Each operation alone, so that one that is refused half-way leaves nothing behind. */
function applyEach(
  before: Complex,
  operations: readonly PatchOperation[],
  attempt: Attempt,
  reading: Reading,
): Patched {
  const ignored: string[] = []
  let resource = before
  for (const operation of operations) {
    // The attribute is copied, and the resource is checked as a whole.
    reading.work.visit(reading.type.attributes.length + sizeOf(resource))
    const patched = attempt(operation.target.text, () => applyPatch(resource, [operation], reading))
    if (patched === undefined) continue
    resource = patched.resource
    for (const name of patched.ignored) noteIgnored(ignored, name)
  }
  return { resource, ignored }
}

/** Attributes and elements. */
function sizeOf(resource: Complex): number {
  const sizes = Object.values(resource).map((value) => (Array.isArray(value) ? value.length : 1))
  return sizes.reduce((sum, size) => sum + size, 0)
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

/** True of what refuses one operation, of which others know nothing. */
function concernsOneOperation(error: unknown, work: Work): error is ScimError {
  const isRefusal = error instanceof ScimError && error.status === 400 && error.scimType !== 'invalidSyntax'
  return isRefusal && !work.isExhausted
}

/** What the log is told: the names of what was left out first, and the reasons. */
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
  return { resource, ignored: names, detail: reasons.length === 0 ? null : `left out: ${reasons.join('; ')}` }
}
