/**
 * Attribute mappings: which source attribute, constant or expression flows to which target attribute. The defaults are
 * the two tables of the Cisco tutorial. Pure.
 *
 * Microsoft: "Tutorial - Customize Microsoft Entra attribute mappings in Application Provisioning".
 */
import type { Clock, NewId } from '../clock.ts'
import { toText } from './arguments.ts'
import { checkExpression, evaluateExpression, IgnoreFlow } from './evaluate.ts'
import type { Expression, Value } from './expression.ts'

export interface AttributeMapping {
  /** Target attribute path, e.g. `name.givenName`. */
  readonly target: string
  readonly type: 'direct' | 'constant' | 'expression'
  /** The source attribute, the constant, or the text of the expression. */
  readonly source: string
  /** Sent when the source is empty, and only when the object is created. */
  readonly defaultValue?: string
  /** Position among the matching attributes, from 1; absent when the attribute does not match. */
  readonly matching?: number
  /** `always` unless given. */
  readonly apply?: 'always' | 'onCreate'
  /** `string` unless given; a reference is sent after both ends exist. */
  readonly targetType?: 'string' | 'boolean' | 'integer' | 'reference'
}

/** User mappings of the tutorial; `userName` from `originalUserPrincipalName`, so that guests keep their #EXT# name. */
export const DEFAULT_USER_MAPPINGS = [
  { target: 'externalId', type: 'direct', source: 'mailNickname' },
  { target: 'userName', type: 'direct', source: 'originalUserPrincipalName', matching: 1 },
  {
    target: 'active',
    type: 'expression',
    source: 'Switch([IsSoftDeleted], , "False", "True", "True", "False")',
    targetType: 'boolean',
  },
  { target: 'displayName', type: 'direct', source: 'displayName' },
  { target: 'name.givenName', type: 'direct', source: 'givenName' },
  { target: 'name.familyName', type: 'direct', source: 'surname' },
  { target: 'name.formatted', type: 'expression', source: 'Join(" ", [givenName], [surname])' },
  {
    target: 'urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:User:nativeObjectId',
    type: 'direct',
    source: 'objectGUID',
  },
] as const satisfies readonly AttributeMapping[]

/** Group mappings of the tutorial; `members` is a reference and is sent by the reference phase, not from here. */
export const DEFAULT_GROUP_MAPPINGS = [
  { target: 'externalId', type: 'direct', source: 'objectId' },
  { target: 'displayName', type: 'direct', source: 'displayName', matching: 1 },
  { target: 'members', type: 'direct', source: 'members', targetType: 'reference' },
] as const satisfies readonly AttributeMapping[]

/** A value as it is sent: already of the target attribute's type. */
export type MappedValue = string | number | boolean | readonly string[]

/** Target path -> value, in the order of the mappings. A source without a value has no entry: nothing is sent. */
export type MappedValues = ReadonlyMap<string, MappedValue>

/** An object of the directory as mappings see it. */
export interface MappingSource {
  readonly attribute: (name: string) => Value
  readonly appRoles: readonly string[]
}

export interface MappingContext {
  readonly clock: Pick<Clock, 'now'>
  readonly newId: NewId
  readonly defaultDomain?: string
}

/** A mapping that could not be evaluated for one object: the object fails, the cycle goes on. */
export class MappingError extends Error {
  override readonly name = 'MappingError'
}

/**
 * Evaluates mappings for one object. `creating` adds what flows only at creation: `apply: onCreate` and defaults.
 * References are left out.
 * @throws {MappingError} naming the target attribute.
 */
export function evaluateMappings(
  mappings: readonly AttributeMapping[],
  source: MappingSource,
  context: MappingContext,
  creating: boolean,
): MappedValues {
  const values = new Map<string, MappedValue>()
  for (const mapping of mappings) {
    if (mapping.targetType === 'reference' || (mapping.apply === 'onCreate' && !creating)) continue
    const value = evaluateMapping(mapping, source, context)
    const sent = isNothing(value) && creating ? mapping.defaultValue : value
    if (!isNothing(sent)) values.set(mapping.target, toTargetType(mapping, sent))
  }
  return values
}

/** The matching attributes in order of precedence. */
export function matchingAttributes(mappings: readonly AttributeMapping[]): readonly AttributeMapping[] {
  return mappings
    .filter((mapping) => mapping.matching !== undefined)
    .toSorted((a, b) => (a.matching ?? 0) - (b.matching ?? 0))
}

function isNothing(value: Value | undefined): value is null | undefined {
  return value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0)
}

function evaluateMapping(mapping: AttributeMapping, source: MappingSource, context: MappingContext): Value {
  if (mapping.type === 'constant') return mapping.source
  if (mapping.type === 'direct') return source.attribute(mapping.source)
  try {
    return evaluateExpression(parsed(mapping.source), mapping.source, { ...context, ...source })
  } catch (error) {
    if (error instanceof IgnoreFlow) return null
    throw new MappingError(
      `Mapping to "${mapping.target}": ${error instanceof Error ? error.message : error}`,
    )
  }
}

const parsedExpressions = new Map<string, Expression>()

/** Each expression text is parsed once, not once per object. */
function parsed(text: string): Expression {
  const known = parsedExpressions.get(text)
  if (known !== undefined) return known
  const expression = checkExpression(text)
  parsedExpressions.set(text, expression)
  return expression
}

function toTargetType(mapping: AttributeMapping, value: Exclude<Value, null>): MappedValue {
  if (typeof value === 'object') return value
  if (mapping.targetType === 'boolean') {
    const text = toText(value).toLowerCase()
    if (text !== 'true' && text !== 'false')
      throw new MappingError(`Mapping to "${mapping.target}": "${toText(value)}" is not True or False`)
    return text === 'true'
  }
  if (mapping.targetType === 'integer') {
    const number = Number(value)
    if (!Number.isInteger(number))
      throw new MappingError(`Mapping to "${mapping.target}": "${toText(value)}" is not an integer`)
    return number
  }
  return toText(value)
}
