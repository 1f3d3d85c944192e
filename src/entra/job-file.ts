/**
 * Reads a job document: the whole Provisioning page of an application as JSON or YAML. Everything is optional; what is
 * left out is the tutorial's. Pure: problems are collected by path. The JSON Schema for editors is job.schema.json.
 */
import type { AttributeMapping } from './attribute-mapping.ts'
import { DEFAULT_GROUP_MAPPINGS, DEFAULT_USER_MAPPINGS } from './attribute-mapping.ts'
import { parseTargetPath } from './attribute-path.ts'
import { checkExpression } from './evaluate-expression.ts'
import { DEFAULT_JOB, type JobConfig, type ObjectMapping, type TargetObjectActions } from './job.ts'
import { describeType, type FieldPath, isObject, type JsonObject, type Problem, Problems } from './problem.ts'
import {
  SCOPING_OPERATORS,
  type ScopingClause,
  type ScopingFilter,
  UNARY_OPERATORS,
  UNSUPPORTED_SCOPING_ATTRIBUTES,
} from './scoping-filter.ts'

export interface NotificationConfig {
  /** Address that is told of a quarantine, by SMTP. */
  readonly email?: string
  /** `smtp://user:password@host:587`, or the name of a variable that holds it after a `$`. */
  readonly smtp?: string
  /** Gets a POST with JSON. */
  readonly webhook?: string
}

export interface JobFile {
  readonly tenantUrl?: string
  readonly token?: string
  /** Name of the environment variable that holds the token. */
  readonly tokenVariable?: string
  /** Directory file, relative to the job file. */
  readonly directory?: string
  /** State file, relative to the job file. */
  readonly state?: string
  readonly notification?: NotificationConfig
  readonly job: JobConfig
}

type FieldType = 'string' | 'boolean' | 'count' | 'positive' | 'object' | readonly string[]

const FIELDS: Readonly<Record<string, FieldType>> = {
  $schema: 'string',
  id: 'string',
  tenantUrl: 'string',
  token: 'string',
  tokenVariable: 'string',
  directory: 'string',
  state: 'string',
  dialect: ['old', 'flag'],
  scope: ['assigned', 'all'],
  users: 'object',
  groups: 'object',
  provisionGroups: 'boolean',
  skipOutOfScopeDeletions: 'boolean',
  accidentalDeletionThreshold: 'count',
  defaultDomain: 'string',
  membersPerRequest: 'positive',
  concurrency: 'positive',
  notification: 'object',
}
const MAPPING_FIELDS: Readonly<Record<string, FieldType>> = {
  target: 'string',
  type: ['direct', 'constant', 'expression'],
  source: 'string',
  defaultValue: 'string',
  matching: 'positive',
  apply: ['always', 'onCreate'],
  targetType: ['string', 'boolean', 'integer', 'reference'],
}
const ACTION_FIELDS: Readonly<Record<string, FieldType>> = {
  create: 'boolean',
  update: 'boolean',
  delete: 'boolean',
}
const NOTIFICATION_FIELDS: Readonly<Record<string, FieldType>> = {
  email: 'string',
  smtp: 'string',
  webhook: 'string',
}

export function parseJobFile(document: unknown): { jobFile?: JobFile; problems: readonly Problem[] } {
  const problems = new Problems()
  const fields = readFields(document, [], FIELDS, problems)
  if (fields === undefined) return { problems: problems.list }
  const users = readObjectMapping(fields.users, ['users'], DEFAULT_USER_MAPPINGS, problems)
  const groups = readObjectMapping(fields.groups, ['groups'], DEFAULT_GROUP_MAPPINGS, problems)
  const notification =
    fields.notification === undefined ? undefined : readNotification(fields.notification, problems)
  if (problems.list.length > 0) return { problems: problems.list }
  const own = [
    'id',
    'dialect',
    'scope',
    'skipOutOfScopeDeletions',
    'accidentalDeletionThreshold',
    'defaultDomain',
    'membersPerRequest',
    'concurrency',
  ]
  const job = { ...DEFAULT_JOB, ...pick(fields, own), users, groups }
  const { groups: _groups, ...withoutGroups } = job
  const connection = pick(fields, ['tenantUrl', 'token', 'tokenVariable', 'directory', 'state'])
  const jobFile: JobFile = {
    ...connection,
    ...(notification === undefined ? {} : { notification }),
    job: fields.provisionGroups === false ? withoutGroups : job,
  }
  return { jobFile, problems: [] }
}

function pick(fields: JsonObject, names: readonly string[]): Record<string, never> {
  return Object.fromEntries(
    names.flatMap((name) => (fields[name] === undefined ? [] : [[name, fields[name]]])),
  ) as Record<string, never>
}

/** An object with known fields of known types only; undefined, with problems, otherwise. */
function readFields(
  value: unknown,
  path: FieldPath,
  fields: Readonly<Record<string, FieldType>>,
  problems: Problems,
): JsonObject | undefined {
  if (!isObject(value)) {
    problems.add(path, `must be an object, found ${describeType(value)}`)
    return undefined
  }
  for (const [name, field] of Object.entries(value)) {
    const type = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (type === undefined)
      problems.add([...path, name], `is not known here: expected one of ${Object.keys(fields).join(', ')}`)
    else if (!fits(field, type))
      problems.add([...path, name], `must be ${describeFieldType(type)}, found ${describeType(field)}`)
  }
  return value
}

function fits(value: unknown, type: FieldType): boolean {
  if (typeof type !== 'string') return typeof value === 'string' && type.includes(value)
  if (type === 'count' || type === 'positive')
    return typeof value === 'number' && Number.isInteger(value) && value >= (type === 'count' ? 0 : 1)
  return type === 'object' ? isObject(value) : typeof value === type && value !== ''
}

function describeFieldType(type: FieldType): string {
  if (typeof type !== 'string') return type.map((text) => `"${text}"`).join(' or ')
  if (type === 'count' || type === 'positive') return `a whole number, ${type === 'count' ? 0 : 1} or more`
  if (type === 'object') return 'an object'
  return type === 'boolean' ? 'true or false' : 'a string that is not empty'
}

function readObjectMapping(
  value: unknown,
  path: FieldPath,
  defaults: readonly AttributeMapping[],
  problems: Problems,
): ObjectMapping {
  const { attributeMappings, scopingFilters, targetObjectActions } = isObject(value) ? value : {}
  for (const name of Object.keys(isObject(value) ? value : {})) {
    if (!['attributeMappings', 'scopingFilters', 'targetObjectActions'].includes(name))
      problems.add(
        [...path, name],
        'is not known here: expected attributeMappings, scopingFilters or targetObjectActions',
      )
  }
  return {
    attributeMappings: readMappings(attributeMappings, [...path, 'attributeMappings'], defaults, problems),
    scopingFilters: readList(scopingFilters, [...path, 'scopingFilters'], problems, readScopingFilter),
    targetObjectActions: readActions(targetObjectActions, [...path, 'targetObjectActions'], problems),
  }
}

function readList<T>(
  value: unknown,
  path: FieldPath,
  problems: Problems,
  read: (entry: unknown, path: FieldPath, problems: Problems) => T | undefined,
): T[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) {
    problems.add(path, `must be a list, found ${describeType(value)}`)
    return []
  }
  return value.flatMap((entry: unknown, index) => read(entry, [...path, index], problems) ?? [])
}

function readMappings(
  value: unknown,
  path: FieldPath,
  defaults: readonly AttributeMapping[],
  problems: Problems,
): readonly AttributeMapping[] {
  if (value === undefined) return defaults
  const mappings = readList(value, path, problems, readMapping)
  const precedences = mappings.flatMap(({ matching }) => matching ?? []).toSorted((a, b) => a - b)
  if (precedences.length === 0)
    problems.add(path, 'has no matching attribute: give one mapping "matching": 1')
  if (precedences.some((precedence, index) => precedence !== index + 1))
    problems.add(path, `has the matching precedences ${precedences.join(', ')}: expected 1, 2, … once each`)
  return mappings
}

function readMapping(value: unknown, path: FieldPath, problems: Problems): AttributeMapping | undefined {
  const before = problems.list.length
  const mapping = readFields(value, path, MAPPING_FIELDS, problems)
  if (mapping === undefined) return undefined
  for (const name of ['target', 'type', 'source'])
    if (mapping[name] === undefined) problems.add([...path, name], 'is required')
  if (problems.list.length > before) return undefined
  tryOrReport([...path, 'target'], problems, () => parseTargetPath(String(mapping.target)))
  if (mapping.type === 'expression')
    tryOrReport([...path, 'source'], problems, () => checkExpression(String(mapping.source)))
  return mapping as unknown as AttributeMapping
}

function tryOrReport(path: FieldPath, problems: Problems, work: () => unknown): void {
  try {
    work()
  } catch (error) {
    problems.add(path, error instanceof Error ? error.message : String(error))
  }
}

function readScopingFilter(value: unknown, path: FieldPath, problems: Problems): ScopingFilter | undefined {
  if (!isObject(value)) {
    problems.add(path, `must be an object with "name" and "clauses", found ${describeType(value)}`)
    return undefined
  }
  const name = typeof value.name === 'string' ? value.name : `filter ${Number(path.at(-1)) + 1}`
  const clauses = readList(value.clauses, [...path, 'clauses'], problems, readClause)
  if (clauses.length === 0) problems.add([...path, 'clauses'], 'must hold at least one clause')
  return { name, clauses }
}

function readClause(value: unknown, path: FieldPath, problems: Problems): ScopingClause | undefined {
  if (!isObject(value) || typeof value.attribute !== 'string' || value.attribute === '') {
    problems.add(path, 'must be { "attribute": name, "operator": operator, "value": value }')
    return undefined
  }
  const operator = SCOPING_OPERATORS.find((known) => known === value.operator)
  if (operator === undefined) {
    problems.add(
      [...path, 'operator'],
      `must be one of ${SCOPING_OPERATORS.join(', ')}, found ${describeType(value.operator)}`,
    )
    return undefined
  }
  if (UNSUPPORTED_SCOPING_ATTRIBUTES.includes(value.attribute))
    problems.add([...path, 'attribute'], `"${value.attribute}" cannot be used in a scoping filter`)
  checkClauseValue(operator, value.value, [...path, 'value'], problems)
  return { attribute: value.attribute, operator, ...pick(value, ['value']) }
}

function checkClauseValue(
  operator: ScopingClause['operator'],
  value: unknown,
  path: FieldPath,
  problems: Problems,
): void {
  if (UNARY_OPERATORS.includes(operator)) {
    if (value !== undefined) problems.add(path, `${operator} takes no value`)
    return
  }
  if (typeof value !== 'string' && typeof value !== 'number') {
    problems.add(path, `${operator} needs a string or a number, found ${describeType(value)}`)
  } else if (operator.includes('REGEX')) {
    tryOrReport(path, problems, () => new RegExp(String(value), 'u'))
  } else if (/GREATER|&/.test(operator) && !Number.isInteger(Number(value))) {
    problems.add(path, `${operator} needs a whole number, found ${describeType(value)}`)
  }
}

function readActions(value: unknown, path: FieldPath, problems: Problems): TargetObjectActions {
  const actions = value === undefined ? {} : readFields(value, path, ACTION_FIELDS, problems)
  return { create: true, update: true, delete: true, ...(actions as Partial<TargetObjectActions>) }
}

function readNotification(value: unknown, problems: Problems): NotificationConfig {
  const notification = readFields(value, ['notification'], NOTIFICATION_FIELDS, problems) ?? {}
  if (notification.email !== undefined && notification.smtp === undefined)
    problems.add(['notification', 'smtp'], 'is required with "email"')
  if (typeof notification.webhook === 'string' && !/^https?:/.test(notification.webhook))
    problems.add(['notification', 'webhook'], 'must be an http or https URL')
  return notification as NotificationConfig
}
