/**
 * Ids of memberships, and the filters that lists of memberships accept (draft-zollner-scim-group-members).
 */
import { pathText } from './attribute-path.ts'
import { isComplex } from './comparison.ts'
import { badRequest } from './error.ts'
import type { Filter } from './filter/ast.ts'

/** The two ends of a membership. */
export interface MembershipKey {
  readonly groupId: string
  readonly memberId: string
}

/** Known ends of memberships; undefined: any. */
export type MembershipFilter = { readonly [End in keyof MembershipKey]?: string | undefined }

/** A text of unreserved characters, which URLs and clients leave as it is (RFC 3986 §2.3): ids are UUIDs. */
export function membershipId({ groupId, memberId }: MembershipKey): string {
  return `${groupId}.${memberId}`
}

/** The ends that an id names. A text that is not such an id names no membership. */
export function membershipKey(id: string): MembershipKey {
  const [groupId = '', memberId = '', ...more] = id.split('.')
  return more.length > 0 ? { groupId: '', memberId: '' } : { groupId, memberId }
}

/** The ends in a validated resource. */
export function keyOfMembership({ group, member }: Readonly<Record<string, unknown>>): MembershipKey {
  return { groupId: endOf(group), memberId: endOf(member) }
}

function endOf(end: unknown): string {
  return isComplex(end) ? String(end.value) : ''
}

const ENDS: Readonly<Record<string, keyof MembershipKey>> = {
  'group.value': 'groupId',
  'member.value': 'memberId',
}

/** Reads the ends out of a filter. Other filters would have to look through all memberships. @throws {ScimError} invalidFilter */
export function membershipFilter(filter: Filter | undefined): MembershipFilter {
  const known: { -readonly [End in keyof MembershipFilter]: MembershipFilter[End] } = {}
  for (const test of filter?.kind === 'and' ? filter.operands : filter ? [filter] : []) {
    const isEqual = test.kind === 'comparison' && test.operator === 'eq'
    const end = isEqual ? ENDS[pathText(test.path)] : undefined
    if (!isEqual || end === undefined || known[end] !== undefined) throw unsupported()
    known[end] = String(test.key)
  }
  return known
}

function unsupported() {
  return badRequest(
    'invalidFilter',
    'memberships are found by "group.value eq", "member.value eq", or both of them joined with "and", and by no other filter',
  )
}
