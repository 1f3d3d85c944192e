/**
 * The configuration of a provisioning job, as set on the Provisioning page. The defaults are those of the Cisco
 * tutorial. Pure. job-file.ts reads a job file.
 */
import type { AttributeMapping } from '../mappings/attribute-mapping.ts'
import type { ScopingFilter } from '../mappings/scoping-filter.ts'
import type { Dialect, ObjectType } from '../protocol/requests.ts'
import type { GroupProfile, ObjectProfile, ProviderProfile } from '../providers/profile.ts'
import { PROVIDERS, type ProviderName } from '../providers/providers.ts'

export interface TargetObjectActions {
  readonly create: boolean
  readonly update: boolean
  readonly delete: boolean
}

export interface ObjectMapping {
  readonly attributeMappings: readonly AttributeMapping[]
  readonly scopingFilters: readonly ScopingFilter[]
  readonly targetObjectActions: TargetObjectActions
}

export interface JobConfig {
  /** Shown in logs; a gallery application's job has the name of the application. */
  readonly id: string
  /** Whose requests the job sends. */
  readonly provider: ProviderName
  /** Entra's; the others have one dialect each. */
  readonly dialect: Dialect
  readonly scope: 'assigned' | 'all'
  readonly users: ObjectMapping
  /** Absent if group provisioning is disabled. */
  readonly groups?: ObjectMapping
  /** Leaves objects that went out of scope unchanged at the target. */
  readonly skipOutOfScopeDeletions: boolean
  /** The maximum number of disables and deletes in one cycle. If there are more, none is applied. */
  readonly accidentalDeletionThreshold?: number
  readonly defaultDomain?: string
  /** Apply limits of the service that the emulator otherwise leaves out; see the README. */
  readonly exact: boolean
  /** The maximum number of members in one PATCH. Microsoft does not document the service's own number. */
  readonly membersPerRequest: number
  /** The number of requests in flight at the same time. */
  readonly concurrency: number
}

const ALL_ACTIONS: TargetObjectActions = { create: true, update: true, delete: true }

/** The job of a provider with its own mappings. */
export function defaultJob(provider: ProviderName): JobConfig {
  const { users, groups } = PROVIDERS[provider]
  return {
    id: provider === 'entra' ? 'cisco-user-management' : provider,
    provider,
    dialect: 'old',
    scope: 'assigned',
    users: defaultMapping(users),
    ...(groups === undefined ? {} : { groups: defaultMapping(groups) }),
    skipOutOfScopeDeletions: false,
    exact: false,
    membersPerRequest: 100,
    concurrency: 4,
  }
}

function defaultMapping({ attributeMappings }: ObjectProfile): ObjectMapping {
  return { attributeMappings, scopingFilters: [], targetObjectActions: ALL_ACTIONS }
}

/** The job of the tutorial. */
export const DEFAULT_JOB: JobConfig = defaultJob('entra')

/** @throws {Error} if the type is `Group` and the provider does not send groups, so that no job has any */
export function objectProfileOf(job: Pick<JobConfig, 'provider'>, type: ObjectType): ObjectProfile {
  return type === 'User' ? providerOf(job).users : groupProfileOf(job)
}

/** @throws {Error} if the provider does not send groups, so that no job has any */
export function groupProfileOf(job: Pick<JobConfig, 'provider'>): GroupProfile {
  const { groups, title } = providerOf(job)
  if (groups === undefined) throw new Error(`${title} does not send groups`)
  return groups
}

/** The profile of the job's provider. */
export function providerOf(job: Pick<JobConfig, 'provider'>): ProviderProfile {
  return PROVIDERS[job.provider]
}

/** The mapping of a type; undefined if groups are disabled. */
export function mappingOf(job: JobConfig, type: ObjectType): ObjectMapping | undefined {
  return type === 'User' ? job.users : job.groups
}
