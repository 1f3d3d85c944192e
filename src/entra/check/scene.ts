/**
 * The people and the group that `check` invents, as the mappings of the job present them to the endpoint: each in several
 * versions, of which one follows the other. Pure.
 */
import type { Clock, NewId } from '../clock.ts'
import {
  type AttributeMapping,
  evaluateMappings,
  type MappedValue,
  type MappedValues,
  type MappingSource,
  matchingAttributes,
} from '../mappings/attribute-mapping.ts'
import type { Value } from '../mappings/expression.ts'
import type { AttributeChange, Dialect } from '../protocol/requests.ts'

/** The mappings that the requests of `check` come from. */
export interface CheckMappings {
  readonly users: readonly AttributeMapping[]
  /** Absent if groups are not provisioned. */
  readonly groups?: readonly AttributeMapping[]
  /** Whether the application is in the gallery, for which it must offer /Schemas. */
  readonly gallery: boolean
}

/** The members that `provision` sends in one PATCH: `membersPerRequest` of a job. */
export const CREW_SIZE = 100

export interface Scene {
  readonly dialect: Dialect
  readonly newId: NewId
  readonly mappings: CheckMappings
  /** The target attribute by which Entra finds a user, and a group. */
  readonly userKey: string
  readonly groupKey: string
  /** The first user, as created and after each change. */
  readonly first: MappedValues
  readonly firstWithName: MappedValues
  readonly firstWithMore: MappedValues
  readonly firstRenamed: MappedValues
  readonly firstDisabled: MappedValues
  /** The second user lacks some attributes at first. */
  readonly second: MappedValues
  readonly secondComplete: MappedValues
  /** A user that must not be created, and one that must not be changed. */
  readonly stranger: MappedValues
  readonly spare: MappedValues
  readonly group: MappedValues
  readonly groupRenamed: MappedValues
  /** The values of one more user, by the name part of an address. */
  readonly userNamed: (name: string) => MappedValues
  /** Users who are only members of a group; the same in both dialects. */
  readonly crew: readonly MappedValues[]
}

/** The names of all objects begin with this text, so that no other object is deleted. */
export function newNamePrefix(newId: NewId): string {
  return `entra-check-${newId().replaceAll('-', '').slice(-12)}`
}

export interface SceneOptions {
  readonly dialect: Dialect
  readonly prefix: string
  readonly mappings: CheckMappings
  readonly clock: Clock
  readonly newId: NewId
  readonly crewSize: number
}

/** @throws {MappingError} if a mapping cannot be evaluated for the people of the scene */
export function newScene(options: SceneOptions): Scene {
  const { dialect, mappings, newId, prefix } = options
  const user = (source: Attributes) => valuesOf(mappings.users, source, options)
  const group = (source: Attributes) => valuesOf(mappings.groups ?? [], source, options)
  const first = person(`${prefix}.${dialect}.first+tag`, 'Mirela', "O'Sterholt", newId())
  const firstWithName = { ...first, displayName: 'Mirela Osterholt-Pike' }
  const firstWithMore = { ...firstWithName, ...MORE }
  const renamed = `${prefix}.${dialect}.renamed@entra-check.example`
  const firstRenamed = { ...firstWithMore, userPrincipalName: renamed, originalUserPrincipalName: renamed }
  const second = person(`${prefix}.${dialect}.second`, 'Tavish', 'Łindqvist', newId())
  const crewGroup = { objectId: newId(), displayName: `${prefix} ${dialect} "Crew" \\ ÉQUIPE` }
  return {
    ...{ dialect, newId, mappings },
    userKey: keyOf(mappings.users, 'userName'),
    groupKey: keyOf(mappings.groups ?? [], 'displayName'),
    first: user(first),
    firstWithName: user(firstWithName),
    firstWithMore: user(firstWithMore),
    firstRenamed: user(firstRenamed),
    firstDisabled: user({ ...firstRenamed, IsSoftDeleted: 'True', accountEnabled: false }),
    second: user({ ...second, ...LACKING }),
    secondComplete: user(second),
    spare: user(person(`${prefix}.${dialect}.spare`, 'Spare', 'User', newId())),
    stranger: user(person(`${prefix}.stranger`, 'Some', 'Stranger', newId())),
    group: group(crewGroup),
    groupRenamed: group({ ...crewGroup, displayName: `${prefix} ${dialect} crew renamed` }),
    userNamed: (name) => user(person(name.replace(/@.*/, ''), 'Mirela', 'Osterholt', newId())),
    crew: Array.from({ length: options.crewSize }, (_, index) =>
      user(person(`${prefix}.crew${index + 1}`, 'Crew', `Member ${index + 1}`, newId())),
    ),
  }
}

/** The changes that bring an object from one version to the next: `add` where the target has no value. */
export function changesBetween(before: MappedValues, after: MappedValues): readonly AttributeChange[] {
  return [...after]
    .filter(([path, value]) => !isSame(before.get(path), value))
    .map(([path, value]) => ({ op: before.has(path) ? 'replace' : 'add', path, value }))
}

/** The values as they are expected in a response. */
export function shown(values: MappedValues): Readonly<Record<string, MappedValue>> {
  return Object.fromEntries(values)
}

/** The target path of the reference to the manager, if it is mapped. */
export function managerPath({ users }: CheckMappings): string | undefined {
  return users.find(({ targetType, source }) => targetType === 'reference' && source === 'manager')?.target
}

type Attributes = Readonly<Record<string, Value>>

const MORE: Attributes = {
  surname: 'Osterholt-Pike',
  mail: 'mirela.osterholt-pike@entra-check.example',
  jobTitle: 'Head of the "Équipe"',
  department: 'Research & Development',
  city: 'Zürich',
  telephoneNumber: '+41 44 555 01 99',
  objectGUID: 'C0A1F7D2-11B4-4F6E-9A67-5D2F0F7BE310',
}

const LACKING: Attributes = { jobTitle: null, department: null, mobile: null, preferredLanguage: null }

/** A user with the attributes that Entra has by default. */
function person(name: string, givenName: string, surname: string, id: string): Attributes {
  const userPrincipalName = `${name}@entra-check.example`
  return {
    ...{ objectId: id, objectGUID: id, userPrincipalName, originalUserPrincipalName: userPrincipalName },
    ...{ mailNickname: `${name}-Ext`, mail: userPrincipalName, givenName, surname },
    ...{ displayName: `${givenName} ${surname}`, accountEnabled: true, IsSoftDeleted: 'False' },
    ...{ jobTitle: 'Surveyor', department: 'Field', companyName: 'Quillfern', employeeId: '00417' },
    ...{ userType: 'Member', usageLocation: 'CH', preferredLanguage: 'de-CH' },
    ...{ physicalDeliveryOfficeName: '3/12', streetAddress: 'Seeweg 4', city: 'Bern', state: 'BE' },
    ...{ postalCode: '3005', country: 'CH', telephoneNumber: '+41 31 555 01 10', mobile: '+41 79 555 01 10' },
    ...{ facsimileTelephoneNumber: '+41 31 555 01 11', onPremisesSamAccountName: name },
  }
}

function valuesOf(
  mappings: readonly AttributeMapping[],
  attributes: Attributes,
  options: SceneOptions,
): MappedValues {
  const source: MappingSource = { attribute: (name) => attributeOf(attributes, name), appRoles: [] }
  return evaluateMappings(mappings, source, { ...options, defaultDomain: 'entra-check.example' }, true)
}

/** Extension attributes of any name have a text as value. */
function attributeOf(attributes: Attributes, name: string): Value {
  const value = attributes[name]
  return value ?? (/^extension/i.test(name) ? `value of ${name}` : null)
}

function keyOf(mappings: readonly AttributeMapping[], otherwise: string): string {
  return matchingAttributes(mappings)[0]?.target ?? otherwise
}

function isSame(before: MappedValue | undefined, after: MappedValue): boolean {
  return JSON.stringify(before) === JSON.stringify(after)
}
