/**
 * The types of a job file: the document as written, and the configuration that is read from it.
 */
import type { AttributeMapping } from '../mappings/attribute-mapping.ts'
import type { ScopingFilter } from '../mappings/scoping-filter.ts'
import type { ClientAuthentication } from '../oauth/grant.ts'
import type { JobConfig, TargetObjectActions } from './job.ts'

export interface NotificationConfig {
  /** The email address that is notified of a quarantine. */
  readonly email?: string
  /** `smtp://user:password@host:587`, or `$` and the name of an environment variable with such a URL. */
  readonly smtp?: string
  /** A URL that receives a POST request with JSON. */
  readonly webhook?: string
}

/** How the job authenticates, if not with a Secret Token. The command line may supply what is missing. */
export interface AuthenticationConfig {
  readonly method?: AuthenticationMethod
  /** URL of the target's token endpoint. */
  readonly tokenEndpoint?: string
  readonly clientId?: string
  /** The name of the environment variable with the client secret. */
  readonly clientSecretVariable?: string
  /** File with the client secret, relative to the job file. */
  readonly clientSecretFile?: string
  readonly clientAuthentication?: ClientAuthentication
  readonly scope?: string
  /** The issuer of the assertion for `federated`; without it, an issuer is started. */
  readonly issuer?: string
  readonly applicationId?: string
  /** The name of the environment variable with the application's secret at the issuer. */
  readonly applicationSecretVariable?: string
  /** File with the application's secret at the issuer, relative to the job file. */
  readonly applicationSecretFile?: string
}

export const AUTHENTICATION_METHODS = ['bearer', 'client-credentials', 'federated'] as const
export type AuthenticationMethod = (typeof AUTHENTICATION_METHODS)[number]

export interface JobFile {
  readonly tenantUrl?: string
  readonly token?: string
  /** The name of the environment variable with the token. */
  readonly tokenVariable?: string
  readonly authentication?: AuthenticationConfig
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
