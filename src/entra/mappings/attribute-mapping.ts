/**
 * Attribute mappings: each maps a source attribute, a constant or an expression to a target attribute. The defaults are
 * the two tables of the Cisco tutorial. Pure.
 *
 * Microsoft: "Tutorial - Customize Microsoft Entra attribute mappings in Application Provisioning".
 */
import type { Clock, NewId } from '../clock.ts'
import type { AppRole, RoleAssignments } from './app-role.ts'
import { isEmpty, toText } from './arguments.ts'
import { checkExpression, evaluateExpression, IgnoreFlow } from './evaluate.ts'
import { callsFunction, type Expression, type Value } from './expression.ts'
import type { ExpressionResult } from './function-definition.ts'

export interface AttributeMapping {
  /** Target attribute path, e.g. `name.givenName`. */
  readonly target: string
  readonly type: 'direct' | 'constant' | 'expression'
  /** The source attribute, the constant, or the text of the expression. */
  readonly source: string
  /** Used when the source has no value, and only when the object is created. */
  readonly defaultValue?: string
  /** Precedence among the matching attributes, starting at 1; absent if the attribute is not a matching attribute. */
  readonly matching?: number
  /** Default: `always`. */
  readonly apply?: 'always' | 'onCreate'
  /** Default: `string`. A reference is sent after both objects exist. */
  readonly targetType?: 'string' | 'boolean' | 'integer' | 'reference'
}

/**
 * The tutorial's user mappings. `userName` comes from `originalUserPrincipalName`, so guests keep their name with
 * #EXT#.
 */
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

/** The tutorial's group mappings. `members` is a reference and is sent in the membership phase. */
export const DEFAULT_GROUP_MAPPINGS = [
  { target: 'externalId', type: 'direct', source: 'objectId' },
  { target: 'displayName', type: 'direct', source: 'displayName', matching: 1 },
  { target: 'members', type: 'direct', source: 'members', targetType: 'reference' },
] as const satisfies readonly AttributeMapping[]

/** A value in the type of its target attribute. */
export type MappedValue = string | number | boolean | readonly string[] | RoleAssignments

/** Target path -> value, in the order of the mappings. A source without a value has no entry and is not sent. */
export type MappedValues = ReadonlyMap<string, MappedValue>

/** A directory object as input to mappings. */
export interface MappingSource {
  readonly attribute: (name: string) => Value
  readonly appRoles: readonly AppRole[]
}

export interface MappingContext {
  readonly clock: Pick<Clock, 'now'>
  readonly newId: NewId
  readonly defaultDomain?: string
  /** Apply the limits of the service that the emulator otherwise leaves out. */
  readonly exact?: boolean
}

/** A mapping that cannot be evaluated for one object. The object fails and the cycle continues. */
export class MappingError extends Error {
  override readonly name = 'MappingError'
}

/**
 * Evaluates the mappings of one object, except references. With `creating`, mappings with `apply: onCreate` and default
 * values are included.
 * @throws {MappingError} naming the target attribute
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
    const sent = hasNoValue(value) && creating ? mapping.defaultValue : value
    if (!hasNoValue(sent)) values.set(mapping.target, toTargetType(mapping, sent))
  }
  return values
}

/** The matching attributes in order of precedence. */
export function matchingAttributes(mappings: readonly AttributeMapping[]): readonly AttributeMapping[] {
  return mappings
    .filter((mapping) => mapping.matching !== undefined)
    .toSorted((a, b) => (a.matching ?? 0) - (b.matching ?? 0))
}

const REDACT = new Set(['redact'])

/** The target attributes whose values the provisioning log must not show, because their expression calls Redact. */
export function redactedTargets(mappings: readonly AttributeMapping[]): ReadonlySet<string> {
  const redacted = mappings.filter(
    ({ type, source }) => type === 'expression' && callsFunction(parsed(source), REDACT),
  )
  return new Set(redacted.map(({ target }) => target))
}

/** Roles that replace those at the target are a value even if there are none. */
function hasNoValue(value: ExpressionResult | undefined): value is null | undefined {
  return isRoles(value) ? !value.assertive && value.roles.length === 0 : isEmpty(value)
}

export function isRoles(value: ExpressionResult | undefined): value is RoleAssignments {
  return typeof value === 'object' && value !== null && 'roles' in value
}

function evaluateMapping(
  mapping: AttributeMapping,
  source: MappingSource,
  context: MappingContext,
): ExpressionResult {
  if (mapping.type === 'constant') return mapping.source
  if (mapping.type === 'direct') return source.attribute(mapping.source)
  try {
    const expression = parsed(mapping.source, context.exact)
    return evaluateExpression(expression, mapping.source, { ...context, ...source })
  } catch (error) {
    if (error instanceof IgnoreFlow) return null
    throw new MappingError(
      `Mapping to "${mapping.target}": ${error instanceof Error ? error.message : error}`,
    )
  }
}

const parsedExpressions = new Map<string, Expression>()

/** Caches parsed expressions by their text, because every object uses the same ones. */
function parsed(text: string, exact = false): Expression {
  const key = `${exact}:${text}`
  const known = parsedExpressions.get(key)
  if (known !== undefined) return known
  const expression = checkExpression(text, exact)
  parsedExpressions.set(key, expression)
  return expression
}

function toTargetType(mapping: AttributeMapping, value: Exclude<ExpressionResult, null>): MappedValue {
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
