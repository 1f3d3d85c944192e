/**
 * What a provider does differently from the others, as data for the one engine. A difference that is not data is a
 * function of the provider's own file, with its source. Types only.
 */
import type { AttributeMapping, MappedValue, MappedValues } from '../mappings/attribute-mapping.ts'
import type { JsonObject } from '../problem.ts'
import type { AttributeChange, Dialect, ScimRequest } from '../protocol/requests.ts'
import type { Purpose } from '../protocol/response.ts'
import type { WireProfile } from '../protocol/scim-client.ts'

export interface ProviderProfile {
  /** As people say it, e.g. `Okta`. */
  readonly title: string
  readonly wire: WireProfile
  readonly connectionTest: ConnectionTest
  readonly users: ObjectProfile
  /** Absent if the provider does not send groups. */
  readonly groups?: GroupProfile
  readonly removal: Removal
  /** Whether a user that is deleted in the directory gets another name, so that its name is free. */
  readonly renamesDeletedUsers: boolean
  /** Whether a user that is disabled before it is provisioned is created. */
  readonly createsDisabledUsers: boolean
  /** Whether an object that the target no longer has is created again at once. */
  readonly recreatesMissing: boolean
}

export interface ConnectionTest {
  readonly steps: (input: TestInput) => readonly TestStep[]
  /** Whether every cycle begins with the test. Otherwise the first cycle of the job alone does. */
  readonly everyCycle: boolean
}

export interface TestInput {
  /** The first matching attribute of each type that the job provisions. */
  readonly matching: { readonly User: string; readonly Group?: string }
  readonly newId: () => string
}

/** One request of the test. A request may need the ids of what earlier steps created. */
export interface TestStep {
  readonly purpose: Purpose
  readonly request: ScimRequest | ((ids: readonly string[]) => ScimRequest)
  /** Set if the request deletes what an earlier step created: the index of its id. It is sent after a failure too. */
  readonly deletes?: number
}

export interface ObjectProfile {
  /** The mappings of a job that names none. */
  readonly attributeMappings: readonly AttributeMapping[]
  /** When the target is searched for an object that is not linked. */
  readonly search: 'beforeCreate' | 'afterConflict'
  readonly searchRequest: (attribute: string, value: MappedValue) => ScimRequest
  /** Chooses the object from the response if the request cannot. */
  readonly selectFound?: (found: readonly JsonObject[], attribute: string, value: MappedValue) => JsonObject[]
  /** Whether 404 in response to a search means that there is no such object. */
  readonly notFoundMeansNone: boolean
  readonly createRequest: (creation: Creation) => ScimRequest
  /** What the values of the directory are compared with, to find out whether to send an update. */
  readonly comparesWith: 'target' | 'lastExport'
  readonly readRequest: (targetId: string) => ScimRequest
  readonly updateRequests: (update: Update) => readonly ScimRequest[]
  /** Whether an update carries all values, so that an attribute without a value is cleared. */
  readonly replaces: boolean
}

export interface Creation {
  readonly values: MappedValues
  readonly newId: () => string
}

export interface Update {
  readonly targetId: string
  readonly changes: readonly AttributeChange[]
  /** The changed and unchanged values. */
  readonly values: MappedValues
  /** Paths that were exported and no longer have a value. Empty unless the profile replaces. */
  readonly cleared: readonly string[]
  /** The resource as it was read; absent if it was not. */
  readonly target?: JsonObject
  readonly dialect: Dialect
}

export interface GroupProfile extends ObjectProfile {
  readonly members: MemberProfile
}

export interface MemberProfile {
  /** The largest number of memberships that one request adds or removes; `job` is the job's `membersPerRequest`. */
  readonly changesPerRequest: number | 'job' | 'all'
  /** Whether one request adds and removes. Otherwise the additions come first. */
  readonly together: boolean
  /** Whether the group is read before each request. */
  readonly readsGroup: boolean
  readonly requests: (change: MemberChange) => readonly ScimRequest[]
  /** Sends all members again, when an administrator asks for it; absent if the provider has no such command. */
  readonly pushNow?: (change: MemberChange) => readonly ScimRequest[]
}

export interface Member {
  /** The id at the target. */
  readonly id: string
  readonly userName: string
}

export interface MemberChange {
  readonly groupId: string
  readonly displayName: string
  readonly add: readonly Member[]
  readonly remove: readonly Member[]
  /** The members after the change. */
  readonly all: readonly Member[]
  /** The group as it was read; absent if it was not. */
  readonly group?: JsonObject
  readonly dialect: Dialect
}

/** What happens at the target to an object that is no longer to be there. */
export interface Removal {
  /** A user that left the application. */
  readonly leftScope: RemovalAction
  /** A user that was deleted and can be restored. */
  readonly deleted: RemovalAction
  /** A user that is gone for good. */
  readonly purged: RemovalAction
  readonly group: Exclude<RemovalAction, 'disable'>
}

export type RemovalAction = 'disable' | 'delete' | 'ignore'
