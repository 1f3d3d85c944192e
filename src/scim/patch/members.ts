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
import { arrayFromSingle, isUnassigned, removedElements } from './compatibility.ts'
import type { PatchOperation } from './parse.ts'

/** Members that the value paths of one PATCH may look at: one path over a million, or many over fewer. */
const MAX_VISITED_MEMBERS = 1_000_000

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
): { members: readonly MemberChange[]; rest: readonly PatchOperation[] } {
  const members: MemberChange[] = []
  const rest: PatchOperation[] = []
  for (const operation of operations) {
    if (operation.target.path.steps[0].name === 'members') members.push(memberChange(operation, type))
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
): ReadonlySet<string> {
  const filters = changes.filter((change) => change.kind === 'removeMatching').length
  if (filters * before.length > MAX_VISITED_MEMBERS) {
    const detail = `${filters} value paths select among ${before.length} members; remove them by id`
    throw badRequest('invalidValue', detail)
  }
  const known = new Map(before.map((member) => [member.value, member]))
  let ids = new Set(known.keys())
  for (const change of changes) {
    if (change.kind === 'removeMatching') {
      ids = new Set([...ids].filter((id) => !evaluateFilter(change.filter, known.get(id) ?? { value: id })))
    } else if (change.kind === 'replace') ids = new Set(change.ids)
    else if (change.kind === 'add') for (const id of change.ids) ids.add(id)
    else for (const id of change.ids) ids.delete(id)
  }
  return ids
}

function memberChange({ op, target, value }: PatchOperation, type: ResourceType): MemberChange {
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
      : { kind: 'remove', ids: idsOf(removed, type) }
  }
  if (isUnassigned(attribute, value)) return { kind: op === 'add' ? 'add' : 'replace', ids: [] }
  return { kind: op, ids: idsOf(arrayFromSingle(attribute, value), type) }
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

function idsOf(value: unknown, type: ResourceType): readonly string[] {
  const attribute = findAttribute(type.attributes, 'members')
  return attribute === undefined ? [] : memberIds(canonicalValue(attribute, value, 'members', []))
}

function requireId(member: unknown, index: number): string {
  if (isComplex(member) && typeof member.value === 'string' && member.value !== '') return member.value
  throw badRequest('invalidValue', `attribute "members[${index}].value" must be the id of a User or a Group`)
}
