/**
 * Replace(), whose five forms depend on the arguments that are given. Pure.
 *
 * Microsoft: "Reference for writing expressions for attribute mappings", Replace.
 */
import { ArgumentError, isEmpty, toText } from './arguments.ts'
import type { Expression, Value } from './expression.ts'
import type { FunctionDefinition } from './function-definition.ts'
import { RegularExpression } from './regex/regular-expression.ts'
import { RegexError } from './regex/syntax.ts'

const [OLD_VALUE, PATTERN, GROUP] = [1, 2, 3]

export const REPLACE_FUNCTION: FunctionDefinition = {
  usage:
    'Replace(source, oldValue, regexPattern, regexGroupName, replacementValue, replacementAttributeName, template)',
  min: 1,
  max: 7,
  check: checkPattern,
  call: replace,
}

/** A pattern that is written in the expression is checked before the first object. */
function checkPattern(args: readonly Expression[]): void {
  const [pattern, group] = [args[PATTERN], args[GROUP]]
  if (pattern?.kind !== 'literal' || isEmpty(pattern.value)) return
  const compiled = compile(toText(pattern.value))
  if (group?.kind === 'literal' && !isEmpty(group.value)) requireGroup(compiled, toText(group.value))
}

/** A source without a value gives null, except where the value of another attribute takes its place. */
function replace(args: readonly Value[]): Value {
  const [source, oldValue, pattern, groupName, value, attribute, template] = args
  const text = toText(source)
  if (!isEmpty(pattern))
    return replacePattern(text, compile(toText(pattern)), toText(groupName), { value, attribute })
  if (text === '') return null
  if (isEmpty(oldValue)) throw new ArgumentError(OLD_VALUE, 'oldValue or regexPattern is needed')
  const replacement = isEmpty(template) ? toText(value ?? attribute) : text
  return (isEmpty(template) ? text : toText(template)).replaceAll(toText(oldValue), () => replacement)
}

function replacePattern(
  text: string,
  pattern: RegularExpression,
  group: string,
  { value, attribute }: { readonly value: Value | undefined; readonly attribute: Value | undefined },
): Value {
  if (group !== '') requireGroup(pattern, group)
  if (group !== '' && (value === null || value === undefined))
    return text === '' ? (pattern.groupIn(toText(attribute), group) ?? null) : text
  if (text === '') return null
  if (group !== '') return pattern.replaceGroup(text, group, toText(value))
  return pattern.replace(
    text,
    value === null || value === undefined ? literal(toText(attribute)) : toText(value),
  )
}

/** The value of an attribute is not a replacement pattern. */
function literal(text: string): string {
  return text.replaceAll('$', '$$$$')
}

function compile(pattern: string): RegularExpression {
  try {
    return new RegularExpression(pattern)
  } catch (cause) {
    if (!(cause instanceof RegexError)) throw cause
    throw Object.assign(new ArgumentError(PATTERN, cause.message), { cause })
  }
}

function requireGroup(pattern: RegularExpression, group: string): void {
  if (!pattern.hasGroup(group)) throw new ArgumentError(GROUP, `the pattern has no group "${group}"`)
}
