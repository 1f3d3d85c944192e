/** Many clients change the members of one group together: each adds one member, then each removes one. */
import { isObject } from '../problem.ts'
import { addMembersRequest, removeMembersRequest, type ScimRequest } from '../protocol/requests.ts'
import {
  countLost,
  type Race,
  type RaceContext,
  sendAlone,
  together,
  UnpreparedRace,
  verdict,
} from './race.ts'

/** @throws {UnpreparedRace} if one client alone cannot add and remove a member */
export const memberRaces: Race = async (context, name) => {
  const { clients, objects, dialect } = context
  const groupId = await objects.require({ type: 'Group', name: `${name} crew` })
  const first = await objects.require({ type: 'User', name: `${name}-first@entra-check.example` })
  const users = await Promise.all(
    Array.from({ length: clients }, (_, index) =>
      objects.require({ type: 'User', name: `${name}-${index + 1}@entra-check.example` }),
    ),
  )
  await tryAlone(context, groupId, [first, ...users.slice(0, 1)])
  const adds = await together(
    context,
    'update',
    users.map((id) => addMembersRequest(groupId, [id], dialect)),
  )
  const added = users.filter((_, index) => adds[index]?.ok)
  const lostAdds = await countLost(context, async () => {
    const members = await readMembers(context, groupId)
    return [first, ...added].filter((id) => !members.has(id)).length
  })
  const removes = await together(
    context,
    'update',
    users.map((id) => removeMembersRequest(groupId, [id], dialect)),
  )
  const removed = users.filter((_, index) => removes[index]?.ok)
  const lostRemoves = await countLost(context, async () => {
    const members = await readMembers(context, groupId)
    return removed.filter((id) => members.has(id)).length
  })
  return [
    verdict({
      title: `${clients} clients add a member each to one group`,
      outcomes: adds,
      lost: lostAdds,
      what: 'members',
      consequence: 'Entra does not send memberships again: the users are missing from the group',
    }),
    verdict({
      title: `${clients} clients remove a member each from one group`,
      outcomes: removes,
      lost: lostRemoves,
      what: 'removals',
      consequence: 'Entra does not send removals again: the users keep the access of the group',
    }),
  ]
}

/** Two members are added one after the other, and the second one is removed. */
async function tryAlone(context: RaceContext, groupId: string, users: readonly string[]): Promise<void> {
  const { dialect } = context
  for (const id of users) await sendAlone(context, 'update', addMembersRequest(groupId, [id], dialect))
  const missing = async () => {
    const members = await readMembers(context, groupId)
    return users.filter((id) => !members.has(id)).length
  }
  if ((await countLost(context, missing)) > 0)
    throw new UnpreparedRace('a member that one client added is not in the group, so nothing can be counted')
  await sendAlone(context, 'update', removeMembersRequest(groupId, users.slice(1), dialect))
  const wrong = async () => {
    const members = await readMembers(context, groupId)
    return users.filter((id, index) => members.has(id) !== (index === 0)).length
  }
  if ((await countLost(context, wrong)) > 0)
    throw new UnpreparedRace('a removal by one client has another effect, so nothing can be counted')
}

async function readMembers(context: RaceContext, groupId: string): Promise<ReadonlySet<string>> {
  const request: ScimRequest = { method: 'GET', path: `/Groups/${encodeURIComponent(groupId)}` }
  const { resource } = await sendAlone(context, 'read', request)
  const members = Array.isArray(resource?.members) ? resource.members : []
  return new Set(members.map((member) => (isObject(member) ? String(member.value) : '')))
}
