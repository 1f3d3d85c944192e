/**
 * The configuration of a provisioning job: what an administrator sets on the Provisioning page. The defaults are those
 * of the Cisco tutorial. Pure; reading a job file is in job-file.ts.
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
  /** Shown in logs; gallery jobs carry the application's name. */
  readonly id: string
  readonly dialect: Dialect
  readonly scope: 'assigned' | 'all'
  readonly users: ObjectMapping
  /** Absent when the group mapping is switched off. */
  readonly groups?: ObjectMapping
  /** Leave users and groups that fall out of scope as they are at the target. */
  readonly skipOutOfScopeDeletions: boolean
  /** More disables and group deletes than this in one cycle stop it before anything is applied. */
  readonly accidentalDeletionThreshold?: number
  readonly defaultDomain?: string
  /** How many members one PATCH carries at most. No Microsoft page states the service's own number. */
  readonly membersPerRequest: number
  /** Requests in flight at once. */
  readonly concurrency: number
}

const ALL_ACTIONS: TargetObjectActions = { create: true, update: true, delete: true }

/** The tutorial's job. */
export const DEFAULT_JOB: JobConfig = {
  id: 'cisco-user-management',
  dialect: 'old',
  scope: 'assigned',
  users: { attributeMappings: DEFAULT_USER_MAPPINGS, scopingFilters: [], targetObjectActions: ALL_ACTIONS },
  groups: { attributeMappings: DEFAULT_GROUP_MAPPINGS, scopingFilters: [], targetObjectActions: ALL_ACTIONS },
  skipOutOfScopeDeletions: false,
  membersPerRequest: 100,
  concurrency: 4,
}

/** The mapping for a type; undefined when groups are switched off. */
export function mappingOf(job: JobConfig, type: ObjectType): ObjectMapping | undefined {
  return type === 'User' ? job.users : job.groups
}
