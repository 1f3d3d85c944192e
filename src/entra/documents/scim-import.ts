/** A directory document from the users and groups of an endpoint. Pure. */
import type { JsonObject } from '../problem.ts'
import { isObject } from '../problem.ts'
import { readTargetPath } from '../protocol/attribute-path.ts'

/** The properties of the directory file, with the attributes that they come from. */
const USER_PROPERTIES: Readonly<Record<string, string>> = {
  displayName: 'displayName',
  givenName: 'name.givenName',
  surname: 'name.familyName',
  mail: 'emails[primary eq "true"].value',
  jobTitle: 'title',
  department: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department',
}

/** Members that are not among the users are left out, such as groups. */
export function directoryOf(
  users: readonly JsonObject[],
  groups: readonly JsonObject[],
): { users: object[]; groups: object[] } {
  const ids = new Set(users.map(({ id }) => id))
  return {
    users: users.map(userOf),
    groups: groups.map((group) => ({
      id: group.id,
      displayName: group.displayName,
      members: memberIds(group).filter((id) => ids.has(id)),
    })),
  }
}

function userOf(user: JsonObject): object {
  const properties = Object.entries(USER_PROPERTIES).flatMap(([property, path]) => {
    const value = readTargetPath(user, path)
    return typeof value === 'string' && value !== '' ? [[property, value]] : []
  })
  return {
    id: user.id,
    userPrincipalName: user.userName,
    ...Object.fromEntries(properties),
    accountEnabled: user.active !== false,
  }
}

function memberIds({ members }: JsonObject): unknown[] {
  return Array.isArray(members) ? members.filter(isObject).map(({ value }) => value) : []
}
