/**
 * Converts the operations of a PATCH on the `members` of a Group to changes of a set (RFC 7644 §3.5.2). Most changes name
 * their members, so they can be applied without loading all members.
 */
import { type Complex, isComplex } from '../comparison.ts'
import { arrayFromSingle, removedElements, requireRemoved } from '../compatibility/patch.ts'
import { isUnassigned } from '../compatibility/values.ts'
import { badRequest } from '../error.ts'
import type { Filter } from '../filter/ast.ts'
import { evaluateFilter } from '../filter/evaluate.ts'
import type { Profile } from '../profile.ts'
import type { Reading } from '../reading.ts'
import { findAttribute } from '../schema/lookup.ts'
import { canonicalValue } from '../validation.ts'
import { Work } from '../work.ts'
import type { PatchOperation } from './operation.ts'

/** One change of the set of members. The ids are unique. */
export type MemberChange =
  | { readonly kind: 'add' | 'remove' | 'replace'; readonly ids: readonly string[] }
  /** `path` is as the client wrote it, for error messages. */
  | { readonly kind: 'removeSelected'; readonly ids: readonly string[]; readonly path: string }
  | { readonly kind: 'removeMatching'; readonly filter: Filter; readonly path: string }

/** A member with the sub-attributes that filters can test. */
export type Member = Complex & { readonly value: string }

/** Separates the operations on members, as changes in order, from the other operations. */
export function splitMembers(
  operations: readonly PatchOperation[],
  reading: Reading,
): { members: readonly MemberChange[]; rest: readonly PatchOperation[] } {
  const members: MemberChange[] = []
  const rest: PatchOperation[] = []
  for (const operation of operations) {
    if (operation.target.path.steps[0].name === 'members') members.push(memberChange(operation, reading))
    else rest.push(operation)
  }
  return { members, rest }
}

/** The ids in the validated `members` of a Group, for POST and PUT. */
export function memberIds(members: unknown): readonly string[] {
  if (!Array.isArray(members)) return []
  return [...new Set(members.map((member, i) => requireId(member, i)))]
}

/** The ids that the changes name. These members must be looked up. */
export function namedIds(changes: readonly MemberChange[]): readonly string[] {
  const lists = changes.flatMap((change) => (change.kind === 'removeMatching' ? [] : [change.ids]))
  return union(lists)
}

/** The union of lists without duplicates. */
export function union(lists: readonly (readonly string[])[]): readonly string[] {
  const [first = [], ...more] = lists
  return more.length === 0 ? first : [...new Set(lists.flat())]
}

/** True if the changes require all members of the group. */
export function needsAllMembers(changes: readonly MemberChange[]): boolean {
  return changes.some((change) => change.kind === 'replace' || change.kind === 'removeMatching')
}

/** True if the changes test sub-attributes of members other than their ids. */
export function selectsMembers(changes: readonly MemberChange[]): boolean {
  return changes.some((change) => change.kind === 'removeMatching')
}

/**
 * The set of ids after the changes.
 *
 * @param before the current members: all of them if `needsAllMembers`, otherwise those among `namedIds`. Sub-attributes
 *   other than "value" are needed only if `selectsMembers`
 * @throws {ScimError} invalidValue if the request exceeds the work limit; noTarget if a path selects no member and the
 *   profile does not allow that
 */
export function applyMemberChanges(
  before: readonly Member[],
  changes: readonly MemberChange[],
  profile: Profile,
  work = new Work(),
): ReadonlySet<string> {
  let ids = new Set(before.map((member) => member.value))
  const known = new Map(selectsMembers(changes) ? before.map((member) => [member.value, member]) : [])
  for (const change of changes) {
    if (change.kind === 'removeMatching') {
      work.visit(ids.size)
      const isKept = (id: string) => !evaluateFilter(change.filter, known.get(id) ?? { value: id }, work)
      const kept = [...ids].filter(isKept)
      requireRemoved(ids.size - kept.length, change.path, profile)
      ids = new Set(kept)
    } else if (change.kind === 'removeSelected') {
      requireRemoved(change.ids.filter((id) => ids.delete(id)).length, change.path, profile)
    } else if (change.kind === 'replace') ids = new Set(change.ids)
    else if (change.kind === 'add') for (const id of change.ids) ids.add(id)
    else for (const id of change.ids) ids.delete(id)
  }
  return ids
}

function memberChange({ op, target, value }: PatchOperation, reading: Reading): MemberChange {
  const { profile } = reading
  const { path, filter, subAttribute, text } = target
  if (path.steps.length > 1 || subAttribute !== undefined) {
    // RFC 7643 §4.2: the sub-attributes of a member are immutable.
    throw badRequest('mutability', `attribute "${text}" is immutable; add or remove the member instead`)
  }
  if (filter !== undefined) return selection(op, filter, text)
  const attribute = path.steps[0]
  if (op === 'remove') {
    const removed = removedElements(value, text, profile)
    return removed === undefined
      ? { kind: 'replace', ids: [] }
      : { kind: 'remove', ids: idsOf(removed, reading) }
  }
  if (isUnassigned(attribute, value, profile)) return { kind: op === 'add' ? 'add' : 'replace', ids: [] }
  return { kind: op, ids: idsOf(arrayFromSingle(attribute, value, profile), reading) }
}

function selection(op: PatchOperation['op'], filter: Filter, text: string): MemberChange {
  if (op !== 'remove') {
    throw badRequest(
      'mutability',
      `path "${text}" selects members, which are immutable; add or remove the member instead`,
    )
  }
  const byId =
    filter.kind === 'comparison' && filter.operator === 'eq' && filter.path.steps[0].name === 'value'
  return byId
    ? { kind: 'removeSelected', ids: [String(filter.key)], path: text }
    : { kind: 'removeMatching', filter, path: text }
}

function idsOf(value: unknown, reading: Reading): readonly string[] {
  const attribute = findAttribute(reading.type.attributes, 'members')
  if (attribute === undefined) return []
  return memberIds(canonicalValue(attribute, value, 'members', { ...reading, ignored: [] }))
}

function requireId(member: unknown, index: number): string {
  if (isComplex(member) && typeof member.value === 'string' && member.value !== '') return member.value
  throw badRequest('invalidValue', `attribute "members[${index}].value" must be the id of a User or a Group`)
}
