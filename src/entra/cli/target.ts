/**
 * Determines the target of a command from its options and the job file: Tenant URL, authentication, job, directory
 * and state file. Options override the job file.
 */
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { defaultJob, type JobConfig } from '../documents/job.ts'
import type { JobFile, NotificationConfig } from '../documents/job-document.ts'
import { parseJobFile } from '../documents/job-file.ts'
import type { StateTarget } from '../documents/state.ts'
import type { TenantUrl } from '../protocol/tenant-url.ts'
import {
  type Authentication,
  type JobFileLocation,
  readAuthentication,
  tenantNamedBy,
} from './authentication.ts'
import { readDocument, throwProblems } from './files/documents.ts'
import { defaultStateFile, stateTarget } from './files/state-file.ts'
import { jobOption, type OptionValues, providerOption, tenantUrlOption, textOption } from './options.ts'
import { UsageError } from './usage-error.ts'

/** An endpoint and how to access it. */
export interface Target {
  readonly tenantUrl: TenantUrl
  readonly authentication: Authentication
  /** Identifies the target in its state file. */
  readonly stateTarget: StateTarget
  readonly job: JobConfig
  readonly notification: NotificationConfig
}

/** A target with the files of its job. */
export interface JobTarget extends Target {
  readonly directoryFile: string
  readonly stateFile: string
}

/** @throws {UsageError} naming the missing or invalid option or field */
export function readTarget(values: OptionValues): Target {
  const location = readJobFile(values)
  const { jobFile } = location
  const url = textOption(values, 'tenant-url') ?? jobFile?.tenantUrl
  if (url === undefined)
    throw new UsageError(
      '--tenant-url is missing: the Tenant URL of the SCIM endpoint (or "tenantUrl" in the job file)',
    )
  const tenantUrl = tenantUrlOption(url)
  const authentication = readAuthentication(values, location, tenantUrl)
  const job = jobOption(values, tenantUrl, jobFile?.job ?? defaultJob(providerOption(values) ?? 'entra'))
  return {
    tenantUrl,
    authentication,
    job,
    stateTarget: stateTarget(tenantUrl, tenantNamedBy(authentication), job.provider),
    notification: jobFile?.notification ?? {},
  }
}

/** @throws {UsageError} */
export function readJobTarget(values: OptionValues): JobTarget {
  const target = readTarget(values)
  const { jobFile, folder } = readJobFile(values)
  const directoryFile = directoryOption(values, jobFile, folder)
  if (directoryFile === undefined)
    throw new UsageError('--directory is missing: the directory file (or "directory" in the job file)')
  const stateFile =
    stateOption(values, jobFile, folder) ?? defaultStateFile(directoryFile, target.stateTarget)
  return { ...target, directoryFile, stateFile }
}

/**
 * The existing state file, for commands that do not run the job: the value of --state, or the job's default.
 * @throws {UsageError} if the file does not exist
 */
export function readStateLocation(values: OptionValues): { file: string; target?: StateTarget } {
  const named = textOption(values, 'state')
  const location = named === undefined ? jobStateLocation(values) : { file: named }
  if (!existsSync(location.file))
    throw new UsageError(`There is no state file "${location.file}": the job has not run yet`)
  return location
}

function jobStateLocation(values: OptionValues): { file: string; target: StateTarget } {
  const { stateFile, stateTarget } = readJobTarget(values)
  // These commands send nothing, and have no --provider.
  const { provider: _, ...target } = stateTarget
  return { file: stateFile, target }
}

function readJobFile(values: OptionValues): JobFileLocation {
  const file = textOption(values, 'job')
  if (file === undefined) return { folder: '.' }
  const source = readDocument(file, 'job file')
  const { jobFile, problems } = parseJobFile(source.value, providerOption(values))
  throwProblems(source, problems, 'job file')
  return { folder: dirname(file), ...(jobFile === undefined ? {} : { jobFile }) }
}

function directoryOption(
  values: OptionValues,
  jobFile: JobFile | undefined,
  folder: string,
): string | undefined {
  const named = textOption(values, 'directory')
  if (named !== undefined || jobFile?.directory === undefined) return named
  return resolve(folder, jobFile.directory)
}

function stateOption(values: OptionValues, jobFile: JobFile | undefined, folder: string): string | undefined {
  const named = textOption(values, 'state')
  if (named !== undefined || jobFile?.state === undefined) return named
  return resolve(folder, jobFile.state)
}
