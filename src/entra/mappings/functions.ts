/**
 * The table of functions for attribute-mapping expressions. The logic functions are defined here, the others in the
 * files beside it. Function names are case-insensitive, except with `exact`.
 *
 * Microsoft: "Reference for writing expressions for attribute mappings in Microsoft Entra Application Provisioning".
 */

import { ArgumentError, isEmpty, isTrue, toText } from './arguments.ts'
import { DATE_FUNCTIONS } from './date-functions.ts'
import { attributesOf, callsFunction, type Expression, type Value } from './expression.ts'
import type { ExpressionContext, FunctionDefinition } from './function-definition.ts'
import { LETTER_FUNCTIONS } from './letter-functions.ts'
import { REPLACE_FUNCTION } from './replace-function.ts'
import { ROLE_FUNCTIONS } from './role-functions.ts'
import { TEXT_FUNCTIONS } from './text-functions.ts'

const MANY = Number.POSITIVE_INFINITY

const LOGIC_FUNCTIONS: readonly FunctionDefinition[] = [
  { usage: 'BitAnd(value1, value2)', min: 2, max: 2, call: bitAnd },
  { usage: 'Coalesce(source1, source2, …, defaultValue)', min: 1, max: MANY, call: coalesce },
  { usage: 'CBool(expression)', min: 1, max: 1, call: ([value]) => toBoolean(value) },
  { usage: 'CStr(value)', min: 1, max: 1, call: ([value]) => (isNull(value) ? null : toText(value)) },
  { usage: 'Guid()', min: 0, max: 0, call: (_args, { newId }) => newId() },
  { usage: 'IIF(condition, valueIfTrue, valueIfFalse)', min: 3, max: 3, check: checkCondition, choose: iif },
  {
    usage: 'IgnoreFlowIfNullOrEmpty(expression)',
    min: 1,
    max: 1,
    call: ([value]) => (isEmpty(value) ? undefined : value),
  },
  // The Workday guide writes it as the value of an IIF.
  { usage: 'IgnoreAttributeFlow', min: 0, max: 0, call: () => undefined },
  { usage: 'IgnoreObjectFlow', min: 0, max: 0, check: refuseIgnoreObjectFlow, call: () => undefined },
  { usage: 'IsNull(expression)', min: 1, max: 1, call: ([value]) => isNull(value) },
  { usage: 'IsNullOrEmpty(expression)', min: 1, max: 1, call: ([value]) => isEmpty(value) },
  { usage: 'IsPresent(expression)', min: 1, max: 1, call: ([value]) => !isEmpty(value) },
  { usage: 'IsString(expression)', min: 1, max: 1, call: ([value]) => typeof value === 'string' },
  // "If source value is True, returns False. Otherwise, returns True."
  { usage: 'Not(source)', min: 1, max: 1, call: ([value]) => !isTrue(value) },
  {
    usage: 'Switch(source, defaultValue, key1, value1, …)',
    min: 4,
    max: MANY,
    check: checkPairs,
    choose: switchOn,
  },
  { usage: 'DefaultDomain()', min: 0, max: 0, call: defaultDomain },
  // The value is sent; only the provisioning log hides it (engine/mapped-values.ts).
  { usage: 'Redact(value)', min: 1, max: 1, call: ([value]) => value ?? null },
  {
    usage: 'SelectUniqueValue(rule1, rule2, …)',
    min: 2,
    max: MANY,
    check: refuseSelectUniqueValue,
    call: () => null,
  },
]

export const EXPRESSION_FUNCTIONS: ReadonlyMap<string, FunctionDefinition> = new Map(
  [
    ...LOGIC_FUNCTIONS,
    ...ROLE_FUNCTIONS,
    ...TEXT_FUNCTIONS,
    ...LETTER_FUNCTIONS,
    REPLACE_FUNCTION,
    ...DATE_FUNCTIONS,
  ].map((definition) => [nameOf(definition).toLowerCase(), definition]),
)

/** The name of a function in the spelling of the reference page. */
export function nameOf({ usage }: FunctionDefinition): string {
  return usage.replace(/\(.*/, '')
}

function isNull(value: Value | undefined): boolean {
  return value === null || value === undefined
}

/**
 * "Returns the first source value that isn't NULL." An empty source counts as null, as in the guide for SuccessFactors
 * (Coalesce([preferredName], [firstName])); the default value can be the empty string.
 */
function coalesce(args: readonly Value[]): Value {
  return args.find((value) => !isEmpty(value)) ?? args.at(-1) ?? null
}

/** Accepts integers of any size, such as the flags of Active Directory. */
function bitAnd(args: readonly Value[]): Value {
  const [a = 0n, b = 0n] = args.map((value, index) => {
    const text = toText(value)
    if (!/^-?\d+$/.test(text)) throw new ArgumentError(index, `"${text}" is not an integer`)
    return BigInt(text)
  })
  const bits = a & b
  return Number.isSafeInteger(Number(bits)) ? Number(bits) : String(bits)
}

/** "If the expression evaluates to a non-zero value, then CBool returns True, else it returns False." */
function toBoolean(value: Value | undefined): boolean {
  if (isEmpty(value)) return false
  if (typeof value === 'boolean') return value
  const text = toText(value).toLowerCase()
  if (text === 'true' || text === 'false') return text === 'true'
  if (/^-?\d+(?:\.\d+)?$/.test(text)) return Number(text) !== 0
  throw new ArgumentError(0, `"${toText(value)}" is not a boolean: expected True, False or a number`)
}

/** "IgnoreFlowIfNullOrEmpty is a flow control wrapper, not a boolean condition." */
function checkCondition([condition]: readonly Expression[]): void {
  if (condition !== undefined && callsFunction(condition, new Set(['ignoreflowifnullorempty'])))
    throw new ArgumentError(0, 'IgnoreFlowIfNullOrEmpty cannot be a condition: wrap the whole IIF with it')
}

/**
 * Evaluates the chosen value only. With `exact`, "if the source attribute used within the IIF function is empty or null,
 * the condition check fails".
 */
function iif(
  [condition, whenTrue, whenFalse]: readonly Expression[],
  evaluate: (argument: Expression | undefined) => Value,
  { exact, attribute }: ExpressionContext,
): Value {
  const empty =
    exact && condition ? attributesOf(condition).find((name) => isEmpty(attribute(name))) : undefined
  if (empty !== undefined)
    throw new ArgumentError(0, `[${empty}] is empty, so the condition check fails: use Switch`)
  const value = evaluate(condition)
  if (isEmpty(value)) throw new ArgumentError(0, 'the condition is empty: expected True or False')
  return evaluate(toBoolean(value) ? whenTrue : whenFalse)
}

function checkPairs(args: readonly Expression[]): void {
  if (args.length % 2 === 0) return
  const last = args.at(-1)
  const key = last?.kind === 'literal' ? `"${last.value ?? ''}"` : 'at the end'
  throw new ArgumentError(args.length - 1, `the key ${key} has no value: keys and values come in pairs`)
}

/** Keys are case-sensitive. The key "" matches a source without a value. */
function switchOn(
  [source, defaultValue, ...pairs]: readonly Expression[],
  evaluate: (argument: Expression | undefined) => Value,
): Value {
  const text = toText(evaluate(source))
  for (let index = 0; index < pairs.length; index += 2) {
    if (toText(evaluate(pairs[index])) === text) return evaluate(pairs[index + 1])
  }
  return evaluate(defaultValue)
}

/** "If no default verified domain is found, the function returns an error." */
function defaultDomain(_args: readonly Value[], { defaultDomain }: ExpressionContext): Value {
  if (defaultDomain === undefined)
    throw new ArgumentError(0, 'the tenant has no default domain: set "defaultDomain" in the job file')
  return defaultDomain
}

function refuseIgnoreObjectFlow(): never {
  throw new ArgumentError(
    0,
    'works only with objectFilter of an Active Directory target: use a scoping filter',
  )
}

function refuseSelectUniqueValue(): never {
  throw new ArgumentError(0, 'works only for Active Directory targets, not for a SCIM endpoint')
}
