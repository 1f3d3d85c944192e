/**
 * The three functions that map the app roles of an assignment to the attribute `roles`. Pure; protocol/roles.ts writes
 * them as SCIM.
 *
 * Microsoft: "Tutorial - Customize Microsoft Entra attribute mappings", "Provisioning a role to a SCIM app".
 */
import type { AppRole } from './app-role.ts'
import { ArgumentError } from './arguments.ts'
import type { Expression } from './expression.ts'
import type { FunctionDefinition } from './function-definition.ts'

const ARGUMENT = 'appRoleAssignments'

export const ROLE_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    usage: 'SingleAppRoleAssignment([appRoleAssignments])',
    min: 1,
    max: 1,
    check: checkArgument,
    call: (_args, { appRoles = [] }) => singleRole(appRoles),
  },
  {
    usage: 'AppRoleAssignmentsComplex([appRoleAssignments])',
    min: 1,
    max: 1,
    isWholeExpression: true,
    check: checkArgument,
    call: (_args, { appRoles = [] }) => ({ assertive: false, roles: appRoles }),
  },
  {
    usage: 'AssertiveAppRoleAssignmentsComplex([appRoleAssignments])',
    min: 1,
    max: 1,
    isWholeExpression: true,
    check: checkArgument,
    call: (_args, { appRoles = [] }) => ({ assertive: true, roles: appRoles }),
  },
]

/** The names of the functions that map app roles, in lower case. */
export const ROLE_FUNCTION_NAMES: ReadonlySet<string> = new Set(
  ROLE_FUNCTIONS.map(({ usage }) => usage.replace(/\(.*/, '').toLowerCase()),
)

function checkArgument([argument]: readonly Expression[]): void {
  if (argument?.kind !== 'attribute' || argument.name !== ARGUMENT)
    throw new ArgumentError(0, `takes [${ARGUMENT}]`)
}

/** "This function isn't supported in scenarios where users have multiple app role assignments." */
function singleRole(roles: readonly AppRole[]): string | null {
  if (roles.length > 1) {
    const found = roles.map(({ value }) => value).join(', ')
    throw new ArgumentError(0, `supports one role, and the user has ${roles.length}: ${found}`)
  }
  return roles[0]?.value ?? null
}
