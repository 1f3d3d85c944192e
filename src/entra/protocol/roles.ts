/**
 * App roles as the service writes them. A create request has objects. A PATCH has, without the flag, one JSON text for
 * each role added, so that roles are never removed; AssertiveAppRoleAssignmentsComplex replaces them by objects. Pure.
 *
 * Microsoft: "Tutorial - Customize Microsoft Entra attribute mappings", "Provisioning a role to a SCIM app".
 */
import type { RoleAssignments } from '../mappings/app-role.ts'
import { isObject } from '../problem.ts'

/** The type of every role, even if another value is mapped to it: https://github.com/MicrosoftDocs/entra-docs/issues/391 */
export const ROLE_TYPE = 'WindowsAzureActiveDirectoryRole'

/** The two functions differ in the name of one attribute: `displayName` and, as in RFC 7643, `display`. */
export function roleObjects({ assertive, roles }: RoleAssignments): readonly Record<string, unknown>[] {
  return roles.map(({ value, displayName }) => ({
    primary: false,
    type: ROLE_TYPE,
    ...(assertive ? { display: displayName } : { displayName }),
    value,
  }))
}

/** The page shows `replace` in lower case. The flag gives PATCH the format of the create request. */
export function roleOperation(
  path: string,
  assignments: RoleAssignments,
  dialect: 'old' | 'flag',
): Record<string, unknown> {
  if (assignments.assertive) return { op: 'replace', path, value: roleObjects(assignments) }
  if (dialect === 'flag') return { op: 'add', path, value: roleObjects(assignments) }
  const value = assignments.roles.map(({ id, value, displayName }) => ({
    value: JSON.stringify({ id, value, displayName }),
  }))
  return { op: 'Add', path, value }
}

/**
 * Whether the target has the roles: all of them and, for an assertive mapping, no other. A role that a PATCH added is
 * recognized if the target shows the JSON text as it was sent.
 */
export function hasRoles(shown: unknown, { assertive, roles }: RoleAssignments): boolean {
  const found = new Set((Array.isArray(shown) ? shown : []).map(roleValue))
  const wanted = new Set(roles.map(({ value }) => value))
  return [...wanted].every((value) => found.has(value)) && (!assertive || found.size === wanted.size)
}

function roleValue(role: unknown): unknown {
  const value = isObject(role) ? role.value : role
  try {
    const parsed: unknown = typeof value === 'string' && value.startsWith('{') ? JSON.parse(value) : value
    return isObject(parsed) ? parsed.value : parsed
  } catch {
    return value
  }
}
