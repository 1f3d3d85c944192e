/**
 * The types of a job file: the document as written, and the configuration that is read from it.
 */
import type { AttributeMapping } from '../mappings/attribute-mapping.ts'
import type { ScopingFilter } from '../mappings/scoping-filter.ts'
import type { JobConfig, TargetObjectActions } from './job.ts'

export interface NotificationConfig {
  /** The email address that is notified of a quarantine. */
  readonly email?: string
  /** `smtp://user:password@host:587`, or `$` and the name of an environment variable with such a URL. */
  readonly smtp?: string
  /** A URL that receives a POST request with JSON. */
  readonly webhook?: string
}

export interface JobFile {
  readonly tenantUrl?: string
  readonly token?: string
  /** The name of the environment variable with the token. */
  readonly tokenVariable?: string
  /** Directory file, relative to the job file. */
  readonly directory?: string
  /** State file, relative to the job file. */
  readonly state?: string
  readonly notification?: NotificationConfig
  readonly job: JobConfig
}

/** A job document that is valid according to job-schema.ts. */
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
