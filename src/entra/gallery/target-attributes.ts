/**
 * The attributes of the target that the job maps, and the bodies that the validator builds from them: "scimUserBody" and
 * "scimGroupBody". Pure.
 *
 * Microsoft: Initialization_Workflow.json (Build_SCIM_User_Body).
 */
import type { NewId } from '../clock.ts'
import { type JobConfig, mappingOf } from '../documents/job.ts'
import { writeTargetPath } from '../protocol/attribute-path.ts'
import type { ObjectType } from '../protocol/requests.ts'
import { USER_PROPERTIES } from './gallery-job.ts'

export interface TargetAttribute {
  readonly name: string
  readonly type: 'string' | 'boolean' | 'integer' | 'reference'
  /** The source attribute of a direct mapping. */
  readonly source?: string
  readonly isMatching: boolean
}

/** The target attributes of the mappings of a type; the validator reads them from the schema of the job. */
export function targetAttributes(job: JobConfig, type: ObjectType): readonly TargetAttribute[] {
  return (mappingOf(job, type)?.attributeMappings ?? []).map(
    ({ target, targetType = 'string', type: kind, source, matching }) => ({
      name: target,
      type: targetType,
      isMatching: matching !== undefined,
      ...(kind === 'direct' ? { source } : {}),
    }),
  )
}

/** `abc` of `urn:…:abc`, `abc[type eq "work"].value` or `abc.value`. */
export function attributeOf(path: string): string {
  const name = path.startsWith('urn:') ? path.slice(path.lastIndexOf(':') + 1) : path
  return name.split(/[[.]/)[0] ?? name
}

const CORE = {
  User: 'urn:ietf:params:scim:schemas:core:2.0:User',
  Group: 'urn:ietf:params:scim:schemas:core:2.0:Group',
}
const NOT_IN_BODY = ['id', 'externalId', 'userName', 'active', 'roles']

/** A user with a value for every mapped attribute, and with a new `externalId` if it is mapped. */
export function userBody(job: JobConfig, userName: string, newId: NewId): Readonly<Record<string, unknown>> {
  const attributes = targetAttributes(job, 'User')
  const namespaces = attributes.flatMap(({ name }) =>
    name.startsWith('urn:') ? [name.slice(0, name.lastIndexOf(':'))] : [],
  )
  const body: Record<string, unknown> = {
    ...{ schemas: [...new Set([CORE.User, ...namespaces])], userName, active: true },
    ...(attributes.some(({ name }) => name === 'externalId') ? { externalId: newId() } : {}),
  }
  for (const attribute of attributes)
    if (attribute.type !== 'reference' && !NOT_IN_BODY.includes(attribute.name))
      writeTargetPath(body, attribute.name, testValue(attribute, newId))
  for (const value of Object.values(body)) if (Array.isArray(value)) markFirst(value)
  return body
}

export function groupBody(
  job: JobConfig,
  displayName: string,
  newId: NewId,
): Readonly<Record<string, unknown>> {
  const hasExternalId = targetAttributes(job, 'Group').some(({ name }) => name === 'externalId')
  return { schemas: [CORE.Group], displayName, ...(hasExternalId ? { externalId: newId() } : {}) }
}

/** The first element of each list is the primary one. */
function markFirst(elements: readonly unknown[]): void {
  elements.forEach((element, index) => {
    if (typeof element === 'object' && element !== null) Object.assign(element, { primary: index === 0 })
  })
}

/** The value of an attribute that no test user has, by the end of its name. */
const VALUES_BY_NAME: readonly (readonly [ending: RegExp, value: string])[] = [
  [/^displayname$/i, 'SCIM Test User'],
  [/\.country$/i, 'US'],
  [/\.postalcode$/i, '98052'],
  [/\.region$/i, 'WA'],
  [/\.locality$/i, 'Redmond'],
  [/\.streetaddress$/i, '1 Microsoft Way'],
  [/\.formatted$/i, 'Test Test'],
  [/\.givenname$/i, 'Test'],
  [/\.familyname$/i, 'User'],
  [/(?:locale|preferredlanguage)$/i, 'en-US'],
  [/timezone$/i, 'America/Los_Angeles'],
  [/usertype$/i, 'Employee'],
  [/title$/i, 'Test Engineer'],
]

function testValue({ name, type, source }: TargetAttribute, newId: NewId): string | number | boolean {
  if (type === 'boolean') return true
  if (type === 'integer') return 1
  const known = USER_PROPERTIES[source ?? ''] ?? VALUES_BY_NAME.find(([ending]) => ending.test(name))?.[1]
  if (known !== undefined) return known
  const random = shortId(newId)
  if (name.startsWith('emails[')) return `lasctest${random}@test.com`
  if (name.startsWith('phoneNumbers[')) return `+1-555-${random.slice(0, 4)}`
  return `Test-${attributeOf(name)}-${random.slice(0, 6)}`
}

/** `substring(guid(), 0, 8)` in the workflow files. The end is used, because it is what differs in tests. */
export function shortId(newId: NewId): string {
  return newId().replaceAll('-', '').slice(-8)
}
