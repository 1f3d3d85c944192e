/**
 * Reads a job document: the settings of an application's Provisioning page as JSON or YAML. Every field is optional and
 * defaults to the tutorial's value. Pure: problems are collected by path. job-schema.ts checks the structure; this file
 * checks what a JSON Schema cannot express.
 */
import type { AttributeMapping } from '../mappings/attribute-mapping.ts'
import { checkExpression } from '../mappings/evaluate.ts'
import { callsFunction } from '../mappings/expression.ts'
import { RegularExpression } from '../mappings/regex/regular-expression.ts'
import { ROLE_FUNCTION_NAMES } from '../mappings/role-functions.ts'
import {
  type ScopingClause,
  UNARY_OPERATORS,
  UNSUPPORTED_SCOPING_ATTRIBUTES,
} from '../mappings/scoping-filter.ts'
import { describeType, type FieldPath, isObject, type Problem, Problems } from '../problem.ts'
import { parseTargetPath } from '../protocol/attribute-path.ts'
import type { ProviderName } from '../providers/providers.ts'
import { defaultJob, type ObjectMapping } from './job.ts'
import type { JobDocument, JobFile, ObjectMappingDocument } from './job-document.ts'
import { JOB_SCHEMA } from './job-schema.ts'
import { checkValue } from './json-schema.ts'

/** `provider` overrides the one in the document. */
export function parseJobFile(
  document: unknown,
  provider?: ProviderName,
): { jobFile?: JobFile; problems: readonly Problem[] } {
  const problems = new Problems()
  checkValue(document, JOB_SCHEMA, [], problems)
  if (isObject(document)) {
    const rules = { exact: document.exact === true, hasRoles: document.scope !== 'all' }
    checkObjectMapping(document.users, ['users'], rules, problems)
    checkObjectMapping(document.groups, ['groups'], rules, problems)
    checkWebhook(document.notification, problems)
  }
  if (problems.list.length > 0) return { problems: problems.list }
  const jobDocument = document as JobDocument
  return { jobFile: jobFileOf({ ...jobDocument, ...(provider && { provider }) }), problems: [] }
}

function jobFileOf({
  $schema: _,
  tenantUrl,
  token,
  tokenVariable,
  authentication,
  directory,
  state,
  notification,
  users,
  groups,
  provisionGroups = true,
  provider = 'entra',
  ...config
}: JobDocument): JobFile {
  const { groups: defaultGroups, ...defaults } = defaultJob(provider)
  return {
    ...given({ tenantUrl, token, tokenVariable, authentication, directory, state, notification }),
    job: {
      ...defaults,
      ...config,
      users: objectMappingOf(users, defaults.users),
      ...(provisionGroups && defaultGroups && { groups: objectMappingOf(groups, defaultGroups) }),
    },
  }
}

function objectMappingOf(document: ObjectMappingDocument = {}, defaults: ObjectMapping): ObjectMapping {
  const {
    attributeMappings = defaults.attributeMappings,
    scopingFilters = [],
    targetObjectActions,
  } = document
  return {
    attributeMappings,
    scopingFilters: scopingFilters.map((filter, index) => ({ name: `filter ${index + 1}`, ...filter })),
    targetObjectActions: { ...defaults.targetObjectActions, ...targetObjectActions },
  }
}

/** The fields that are not undefined. */
function given<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never
}

/** Settings of the job that decide which expressions it may have. */
interface ExpressionRules {
  readonly exact: boolean
  /** With the scope "all", objects have no assignments and so no app roles. */
  readonly hasRoles: boolean
}

function checkObjectMapping(
  value: unknown,
  path: FieldPath,
  rules: ExpressionRules,
  problems: Problems,
): void {
  if (!isObject(value)) return
  const mappings = [...path, 'attributeMappings']
  if (value.attributeMappings !== undefined && problems.hasNone(mappings))
    checkMatching(value.attributeMappings as readonly AttributeMapping[], mappings, problems)
  checkEach<AttributeMapping>(value.attributeMappings, mappings, problems, (mapping, at) =>
    checkMapping(mapping, at, rules, problems),
  )
  if (!Array.isArray(value.scopingFilters)) return
  for (const [index, filter] of value.scopingFilters.entries()) {
    const clauses = [...path, 'scopingFilters', index, 'clauses']
    if (isObject(filter)) checkEach(filter.clauses, clauses, problems, checkClause)
  }
}

/** Checks the entries of a list that are valid according to the schema. */
function checkEach<Entry>(
  list: unknown,
  path: FieldPath,
  problems: Problems,
  check: (entry: Entry, path: FieldPath, problems: Problems) => void,
): void {
  if (!Array.isArray(list)) return
  for (const [index, entry] of list.entries()) {
    if (problems.hasNone([...path, index])) check(entry as Entry, [...path, index], problems)
  }
}

function checkMatching(mappings: readonly AttributeMapping[], path: FieldPath, problems: Problems): void {
  const precedences = mappings.flatMap(({ matching }) => matching ?? []).toSorted((a, b) => a - b)
  if (precedences.length === 0)
    problems.add(path, 'has no matching attribute: set "matching": 1 on one mapping')
  if (precedences.some((precedence, index) => precedence !== index + 1))
    problems.add(path, `has the matching precedences ${precedences.join(', ')}: expected 1, 2, … once each`)
}

function checkMapping(
  { target, type, source }: AttributeMapping,
  path: FieldPath,
  { exact, hasRoles }: ExpressionRules,
  problems: Problems,
): void {
  tryOrReport([...path, 'target'], problems, () => parseTargetPath(target))
  if (type !== 'expression') return
  tryOrReport([...path, 'source'], problems, () => {
    const expression = checkExpression(source, exact)
    if (!hasRoles && callsFunction(expression, ROLE_FUNCTION_NAMES))
      throw new Error('App roles cannot be mapped with the scope "all"')
  })
}

function tryOrReport(path: FieldPath, problems: Problems, work: () => unknown): void {
  try {
    work()
  } catch (error) {
    problems.add(path, error instanceof Error ? error.message : String(error))
  }
}

function checkClause(
  { attribute, operator, value }: ScopingClause,
  path: FieldPath,
  problems: Problems,
): void {
  if (UNSUPPORTED_SCOPING_ATTRIBUTES.includes(attribute))
    problems.add([...path, 'attribute'], `"${attribute}" cannot be used in a scoping filter`)
  const at = [...path, 'value']
  if (UNARY_OPERATORS.includes(operator)) {
    if (value !== undefined) problems.add(at, `${operator} does not take a value`)
  } else if (value === undefined) {
    problems.add(at, `${operator} needs a string or a number, found nothing`)
  } else if (operator.includes('REGEX')) {
    tryOrReport(at, problems, () => new RegularExpression(String(value)))
  } else if (operator.startsWith('GREATER') && !/^\d+$/.test(String(value))) {
    problems.add(at, `${operator} needs a whole number, 0 or more, found ${describeType(value)}`)
  }
}

function checkWebhook(notification: unknown, problems: Problems): void {
  const webhook = isObject(notification) ? notification.webhook : undefined
  if (typeof webhook === 'string' && webhook !== '' && !/^https?:/.test(webhook))
    problems.add(['notification', 'webhook'], 'must be an http or https URL')
}
