/**
 * Writes of one membership: changes of a group that name one member, with the answers of a resource. An existing membership
 * is refused when it is added, and a missing one when it is removed (draft-zollner-scim-group-members).
 */
import { requireOneProjection } from '../../scim/compatibility/lists.ts'
import { badRequest, notFound, quote, ScimError } from '../../scim/error.ts'
import { type MembershipKey, membershipId } from '../../scim/group-membership.ts'
import { type Projection, parseProjection } from '../../scim/projection.ts'
import { GROUP_MEMBERSHIP } from '../../scim/schema/group-membership.ts'
import { hasMembers } from '../../scim/schema/resource-type.ts'
import { type Call, readingOf } from '../call.ts'
import { renderMembership } from '../group-memberships.ts'
import { changeGroup, type GroupDeletion, type GroupWrite, prepareGroupWrite } from './group-write.ts'
import type { GroupWriteRequest } from './group-writer.ts'

/** Parses and validates the request of any write. @throws {ScimError} as prepareGroupWrite */
export function prepareWrite(
  request: GroupWriteRequest,
  call: Pick<Call, 'tenant' | 'work'>,
): GroupWrite | GroupDeletion {
  const { kind, id = '', memberId = '', attributes, excludedAttributes } = request
  if (kind !== 'addMember' && kind !== 'removeMember') return prepareGroupWrite({ ...request, kind }, call)
  requireOneProjection(attributes, excludedAttributes, call.tenant.profile)
  const key = { groupId: id, memberId }
  const projection = parseProjection(attributes, excludedAttributes, GROUP_MEMBERSHIP)
  return kind === 'addMember' ? addMembership(key, projection, call) : removeMembership(key, call)
}

/** @throws {ScimError} when it is decided: 409 if it is a member already, and as changeGroup */
function addMembership(
  { groupId, memberId }: MembershipKey,
  projection: Projection,
  call: Pick<Call, 'tenant' | 'work'>,
): GroupWrite {
  const { needs, decide } = changeGroup({ id: groupId, added: [memberId] }, readingOfGroup(call))
  return {
    needs: { ...needs, names: 'named' },
    decide(call, known) {
      if (known.group !== undefined && !known.directory.has(memberId)) throw unknownMember(memberId)
      const decision = decide(call, known)
      const [member] = decision.change?.added ?? []
      if (member === undefined) {
        const detail = `${quote(memberId)} is a member of Group ${quote(groupId)} already`
        throw new ScimError(409, 'uniqueness', detail)
      }
      const name = known.group?.resource.displayName
      const group = { value: groupId, ...(typeof name === 'string' && { display: name }) }
      const answer = { ...decision.answer, ...renderMembership(call, { group, member }, projection) }
      return { ...decision, answer, log: { ...decision.log, status: 201 } }
    },
  }
}

function unknownMember(id: string): ScimError {
  const detail = `attribute "member.value" names no User or Group of the directory: ${quote(id)}`
  return badRequest('invalidValue', detail)
}

/** @throws {ScimError} when it is decided: 404 if it is not a member, and as changeGroup */
function removeMembership(key: MembershipKey, call: Pick<Call, 'tenant' | 'work'>): GroupWrite {
  const { needs, decide } = changeGroup({ id: key.groupId, removed: [key.memberId] }, readingOfGroup(call))
  return {
    needs,
    decide(call, known) {
      const decision = decide(call, known)
      if (decision.change === undefined) throw notFound(GROUP_MEMBERSHIP.name, membershipId(key))
      return decision
    },
  }
}

function readingOfGroup(call: Pick<Call, 'tenant' | 'work'>) {
  const type = call.tenant.resourceTypes.find(hasMembers)
  if (type === undefined) throw new Error('the directory has no resource type with members')
  return readingOf(call, type)
}
