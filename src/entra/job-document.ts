/**
 * A job file as types: the document that somebody writes, and what the reader makes of it.
 */
import type { AttributeMapping } from './attribute-mapping.ts'
import type { JobConfig, TargetObjectActions } from './job.ts'
import type { ScopingFilter } from './scoping-filter.ts'

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

/** A job document that job-schema.ts allows. */
export interface JobDocument
  extends Partial<Omit<JobConfig, 'users' | 'groups'>>,
    Omit<JobFile, 'job' | 'notification'> {
  readonly $schema?: string
  readonly users?: ObjectMappingDocument
  readonly groups?: ObjectMappingDocument
  readonly provisionGroups?: boolean
  readonly notification?: NotificationConfig
}

export interface ObjectMappingDocument {
  readonly attributeMappings?: readonly AttributeMapping[]
  readonly scopingFilters?: readonly (Omit<ScopingFilter, 'name'> & { readonly name?: string })[]
  readonly targetObjectActions?: Partial<TargetObjectActions>
}
