/**
 * The configuration of a provisioning job, as set on the Provisioning page. The defaults are those of the Cisco
 * tutorial. Pure. job-file.ts reads a job file.
 */
import type { AttributeMapping } from '../mappings/attribute-mapping.ts'
import { DEFAULT_GROUP_MAPPINGS, DEFAULT_USER_MAPPINGS } from '../mappings/attribute-mapping.ts'
import type { ScopingFilter } from '../mappings/scoping-filter.ts'
import type { Dialect, ObjectType } from '../protocol/requests.ts'

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

/** The job of the tutorial. */
export const DEFAULT_JOB: JobConfig = {
  id: 'cisco-user-management',
  dialect: 'old',
  scope: 'assigned',
  users: { attributeMappings: DEFAULT_USER_MAPPINGS, scopingFilters: [], targetObjectActions: ALL_ACTIONS },
  groups: { attributeMappings: DEFAULT_GROUP_MAPPINGS, scopingFilters: [], targetObjectActions: ALL_ACTIONS },
  skipOutOfScopeDeletions: false,
  exact: false,
  membersPerRequest: 100,
  concurrency: 4,
}

/** The mapping of a type; undefined if groups are disabled. */
export function mappingOf(job: JobConfig, type: ObjectType): ObjectMapping | undefined {
  return type === 'User' ? job.users : job.groups
}
