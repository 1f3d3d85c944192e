/**
 * The operations of a PATCH that concern `members` of a Group, as changes of a set (RFC 7644 §3.5.2).
 * They name the members that they touch, so a group's list need not be loaded to apply them.
 */
import { type Complex, isComplex } from '../comparison.ts'
import { badRequest } from '../error.ts'
import type { Filter } from '../filter/ast.ts'
import { evaluateFilter } from '../filter/evaluate.ts'
import type { ResourceType } from '../schema/definition.ts'
import { findAttribute } from '../schema/lookup.ts'
import { canonicalValue } from '../validation.ts'
import { Work } from '../work.ts'
import { arrayFromSingle, isUnassigned, removedElements } from './compatibility.ts'
import type { PatchOperation } from './operation.ts'

/** One change of the set of members. Ids are as the client sent them. */
export type MemberChange =
  | { readonly kind: 'add' | 'remove' | 'replace'; readonly ids: readonly string[] }
  | { readonly kind: 'removeMatching'; readonly filter: Filter }

/** A member as far as filters can see it. */
export type Member = Complex & { readonly value: string }

/** Takes the operations apart: those on members, as changes in their order, and the rest. */
export function splitMembers(
  operations: readonly PatchOperation[],
  type: ResourceType,
  work = new Work(),
): { members: readonly MemberChange[]; rest: readonly PatchOperation[] } {
  const members: MemberChange[] = []
  const rest: PatchOperation[] = []
  for (const operation of operations) {
    if (operation.target.path.steps[0].name === 'members') members.push(memberChange(operation, type, work))
    else rest.push(operation)
  }
  return { members, rest }
}

/** The ids in the `members` of a Group: the body of POST and PUT, after validation. */
export function memberIds(members: unknown): readonly string[] {
  if (!Array.isArray(members)) return []
  return [...new Set(members.map((member, i) => requireId(member, i)))]
}

/** The ids that the changes name: all that must be looked up to apply them. */
export function namedIds(changes: readonly MemberChange[]): readonly string[] {
  return [...new Set(changes.flatMap((change) => (change.kind === 'removeMatching' ? [] : change.ids)))]
}

/** True when the changes can only be applied with the whole list at hand. */
export function needsAllMembers(changes: readonly MemberChange[]): boolean {
  return changes.some((change) => change.kind === 'replace' || change.kind === 'removeMatching')
}

/**
 * The set of ids after the changes.
 *
 * @throws {ScimError} invalidValue when finding the members would take too long
 * @param before members at present: all of them, or, unless `needsAllMembers`, those among `namedIds`
 */
export function applyMemberChanges(
  before: readonly Member[],
  changes: readonly MemberChange[],
  work = new Work(),
): ReadonlySet<string> {
  const known = new Map(before.map((member) => [member.value, member]))
  let ids = new Set(known.keys())
  for (const change of changes) {
    if (change.kind === 'removeMatching') {
      work.visit(ids.size)
      const isKept = (id: string) => !evaluateFilter(change.filter, known.get(id) ?? { value: id }, work)
      ids = new Set([...ids].filter(isKept))
    } else if (change.kind === 'replace') ids = new Set(change.ids)
    else if (change.kind === 'add') for (const id of change.ids) ids.add(id)
    else for (const id of change.ids) ids.delete(id)
  }
  return ids
}

function memberChange({ op, target, value }: PatchOperation, type: ResourceType, work: Work): MemberChange {
  const { path, filter, subAttribute, text } = target
  if (path.steps.length > 1 || subAttribute !== undefined) {
    // RFC 7643 §4.2: the sub-attributes of a member are immutable; a member is added or removed.
    throw badRequest('mutability', `"${text}" is immutable: add or remove the member instead`)
  }
  if (filter !== undefined) return selection(op, filter, text)
  const attribute = path.steps[0]
  if (op === 'remove') {
    const removed = removedElements(value)
    return removed === undefined
      ? { kind: 'replace', ids: [] }
      : { kind: 'remove', ids: idsOf(removed, type, work) }
  }
  if (isUnassigned(attribute, value)) return { kind: op === 'add' ? 'add' : 'replace', ids: [] }
  return { kind: op, ids: idsOf(arrayFromSingle(attribute, value), type, work) }
}

function selection(op: PatchOperation['op'], filter: Filter, text: string): MemberChange {
  if (op !== 'remove') {
    throw badRequest(
      'mutability',
      `path "${text}" selects members, and a member cannot be changed: add or remove it`,
    )
  }
  const byId =
    filter.kind === 'comparison' && filter.operator === 'eq' && filter.path.steps[0].name === 'value'
  return byId ? { kind: 'remove', ids: [String(filter.key)] } : { kind: 'removeMatching', filter }
}

function idsOf(value: unknown, type: ResourceType, work: Work): readonly string[] {
  const attribute = findAttribute(type.attributes, 'members')
  return attribute === undefined ? [] : memberIds(canonicalValue(attribute, value, 'members', [], work))
}

function requireId(member: unknown, index: number): string {
  if (isComplex(member) && typeof member.value === 'string' && member.value !== '') return member.value
  throw badRequest('invalidValue', `attribute "members[${index}].value" must be the id of a User or a Group`)
}
