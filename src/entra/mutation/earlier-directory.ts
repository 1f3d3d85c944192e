/** An earlier version of a directory, so that a run has changes, removals and leavers, not only new objects. Pure. */
import type { Directory, DirectoryGroup, DirectoryUser } from '../documents/directory.ts'

/** Every third user had another name, every fourth membership was another one, and a user and a group left since. */
export function earlierDirectory({ users, groups, ...rest }: Directory): Directory {
  const [user] = users
  const [group] = groups
  return {
    ...rest,
    users: [...users.map(renamed), ...(user === undefined ? [] : [leaver(user)])],
    groups: [
      ...groups.map((each) => ({ ...each, members: otherMembers(each, users) })),
      ...(group === undefined ? [] : [closed(group)]),
    ],
  }
}

function renamed(user: DirectoryUser, index: number): DirectoryUser {
  return index % 3 === 0 ? { ...user, displayName: `${user.displayName} (earlier)` } : user
}

function otherMembers({ members }: DirectoryGroup, users: readonly DirectoryUser[]): string[] {
  const others = members.map((id, index) => (index % 4 === 0 ? users[(index * 7) % users.length]?.id : id))
  return [...new Set(others.filter((id) => id !== undefined))]
}

function leaver(user: DirectoryUser): DirectoryUser {
  const id = `${user.id}-leaver`
  const userPrincipalName = `leaver.${user.userPrincipalName}`
  return {
    ...user,
    id,
    userPrincipalName,
    displayName: 'Leaver',
    mailNickname: `leaver.${id}`,
    mail: userPrincipalName,
  }
}

function closed(group: DirectoryGroup): DirectoryGroup {
  return { ...group, id: `${group.id}-closed`, displayName: `${group.displayName} (closed)` }
}
