/**
 * The table of functions for attribute-mapping expressions, with logic functions defined here, text functions in
 * text-functions.ts and date functions in date-functions.ts. Function names are case-insensitive.
 *
 * Microsoft: "Reference for writing expressions for attribute mappings in Microsoft Entra Application Provisioning".
 */

import { ArgumentError, isEmpty, list, toText } from './arguments.ts'
import { DATE_FUNCTIONS } from './date-functions.ts'
import type { Value } from './expression.ts'
import type { FunctionDefinition } from './function-definition.ts'
import { TEXT_FUNCTIONS } from './text-functions.ts'

const MANY = Number.POSITIVE_INFINITY

const LOGIC_FUNCTIONS: readonly FunctionDefinition[] = [
  { usage: 'Coalesce(source1, source2, …, defaultValue)', min: 1, max: MANY, call: coalesce },
  { usage: 'CBool(expression)', min: 1, max: 1, call: ([value]) => toBoolean(value) },
  { usage: 'CStr(value)', min: 1, max: 1, call: ([value]) => (isNull(value) ? null : toText(value)) },
  { usage: 'Guid()', min: 0, max: 0, call: (_args, { newId }) => newId() },
  { usage: 'IIF(condition, valueIfTrue, valueIfFalse)', min: 3, max: 3, call: iif },
  {
    usage: 'IgnoreFlowIfNullOrEmpty(expression)',
    min: 1,
    max: 1,
    call: ([value]) => (isEmpty(value) ? undefined : value),
  },
  { usage: 'IsNull(expression)', min: 1, max: 1, call: ([value]) => isNull(value) },
  { usage: 'IsNullOrEmpty(expression)', min: 1, max: 1, call: ([value]) => isEmpty(value) },
  { usage: 'IsPresent(expression)', min: 1, max: 1, call: ([value]) => !isEmpty(value) },
  { usage: 'IsString(expression)', min: 1, max: 1, call: ([value]) => typeof value === 'string' },
  { usage: 'Not(source)', min: 1, max: 1, call: ([value]) => toBoolean(value) === false },
  { usage: 'Switch(source, defaultValue, key1, value1, …)', min: 4, max: MANY, call: switchOn },
  { usage: 'DefaultDomain()', min: 0, max: 0, call: (_args, { defaultDomain }) => defaultDomain ?? null },
  { usage: 'Redact()', min: 0, max: 1, call: () => '[Redacted]' },
  {
    usage: 'SingleAppRoleAssignment([appRoleAssignments])',
    min: 1,
    max: 1,
    call: (_args, { appRoles = [] }) => appRoles[0] ?? null,
  },
  {
    usage: 'AppRoleAssignmentsComplex([appRoleAssignments])',
    min: 1,
    max: 1,
    call: (_args, { appRoles = [] }) => rolesAsJson(appRoles),
  },
  {
    usage: 'AssertiveAppRoleAssignmentsComplex([appRoleAssignments])',
    min: 1,
    max: 1,
    call: (_args, { appRoles = [] }) => rolesAsJson(appRoles),
  },
  {
    usage: 'SelectUniqueValue(rule1, rule2, …)',
    min: 2,
    max: MANY,
    call: () => {
      throw new ArgumentError(0, 'works only for Active Directory targets, not for a SCIM endpoint')
    },
  },
]

export const EXPRESSION_FUNCTIONS: ReadonlyMap<string, FunctionDefinition> = new Map(
  [...LOGIC_FUNCTIONS, ...TEXT_FUNCTIONS, ...DATE_FUNCTIONS].map((definition) => [
    definition.usage.replace(/\(.*/, '').toLowerCase(),
    definition,
  ]),
)

function isNull(value: Value | undefined): boolean {
  return value === null || value === undefined
}

function coalesce(args: readonly Value[]): Value {
  return args.find((value) => !isEmpty(value)) ?? null
}

/** Accepts "True" and "False" in any case, and numbers; null stays null. */
function toBoolean(value: Value | undefined): boolean | null {
  if (isNull(value)) return null
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') return value !== 0
  const text = toText(value).toLowerCase()
  if (text === 'true' || text === '1') return true
  if (text === 'false' || text === '0') return false
  throw new ArgumentError(0, `"${toText(value)}" is not a boolean: expected True or False`)
}

/** Nested functions do the comparing, because the grammar has neither AND nor OR. An empty condition is an error. */
function iif([condition, whenTrue, whenFalse]: readonly Value[]): Value {
  if (isEmpty(condition)) throw new ArgumentError(0, 'the condition is empty: expected True or False')
  return (toBoolean(condition) ? whenTrue : whenFalse) ?? null
}

/** Keys are case-sensitive. A source without a value takes the default. */
function switchOn([source, defaultValue, ...pairs]: readonly Value[]): Value {
  if (pairs.length % 2 !== 0)
    throw new ArgumentError(
      pairs.length + 1,
      `the key "${toText(pairs.at(-1))}" has no value: keys and values come in pairs`,
    )
  if (isEmpty(source)) return defaultValue ?? null
  const text = toText(source)
  for (let index = 0; index < pairs.length; index += 2) {
    if (toText(pairs[index]) === text) return pairs[index + 1] ?? null
  }
  return defaultValue ?? null
}

/** Role assignments are strings that contain JSON, as shown on the page about customizing attributes. */
function rolesAsJson(appRoles: readonly string[]): Value {
  return list(
    appRoles.map((role, index) =>
      JSON.stringify({ id: role, value: role, displayName: role, ...(index === 0 ? { primary: true } : {}) }),
    ),
  )
}
