/** Typical edits of a directory between two cycles. */

export interface DirectoryDocument {
  users: (Record<string, unknown> & { id: string })[]
  groups: (Record<string, unknown> & { id: string; members: string[] })[]
}

/**
 * Renames a user, changes a UPN, disables a user, deletes a user, moves three members, renames a group, removes a
 * group.
 */
export function changeAFewThings(directory: DirectoryDocument): void {
  const active = directory.users.filter((user) => user.accountEnabled === true && user.assigned !== false)
  const [renamed, moved, disabled, deleted] = active
  if (!renamed || !moved || !disabled || !deleted) throw new Error('the directory has too few users')
  renamed.displayName = 'Mirela Osterholt-Pike'
  moved.userPrincipalName = 'tavish.lindqvist@quillfern.example'
  disabled.accountEnabled = false
  directory.users = directory.users.filter(({ id }) => id !== deleted.id)
  for (const group of directory.groups) group.members = group.members.filter((id) => id !== deleted.id)
  const [, from, to, renamedGroup, , dropped] = directory.groups
  if (!from || !to || !renamedGroup || !dropped) throw new Error('the directory has too few groups')
  const inScope = new Set(active.slice(4).map(({ id }) => id))
  const three = from.members.filter((id) => inScope.has(id) && !to.members.includes(id)).slice(0, 3)
  from.members = from.members.filter((id) => !three.includes(id))
  to.members = [...to.members, ...three]
  renamedGroup.displayName = 'ÉQUIPE DU NORD'
  directory.groups = directory.groups.filter((group) => group !== dropped)
}
