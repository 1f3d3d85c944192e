/**
 * Puts a command's target together from its options and the job file: Tenant URL, token, job, directory and state file.
 * Options win over the job file.
 */
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DEFAULT_JOB, type JobConfig } from '../job.ts'
import type { JobFile, NotificationConfig } from '../job-document.ts'
import { parseJobFile } from '../job-file.ts'
import type { StateTarget } from '../state.ts'
import type { TenantUrl } from '../tenant-url.ts'
import { readDocument, refuseProblems } from './documents.ts'
import { jobOption, type OptionValues, TOKEN_VARIABLE, tenantUrlOption, textOption } from './options.ts'
import { defaultStateFile, stateTarget } from './state-file.ts'
import { UsageError } from './usage-error.ts'

/** An endpoint to talk to. */
export interface Target {
  readonly tenantUrl: TenantUrl
  readonly token: string
  readonly job: JobConfig
  readonly notification: NotificationConfig
}

/** A target with the files of its job. */
export interface JobTarget extends Target {
  readonly directoryFile: string
  readonly stateFile: string
}

/** @throws {UsageError} naming the option or the field that is missing or wrong. */
export function readTarget(values: OptionValues): Target {
  const { jobFile } = readJobFile(values)
  const url = textOption(values, 'tenant-url') ?? jobFile?.tenantUrl
  if (url === undefined)
    throw new UsageError(
      '--tenant-url is missing: the Tenant URL of the SCIM endpoint (or "tenantUrl" in the job file)',
    )
  const tenantUrl = tenantUrlOption(url)
  return {
    tenantUrl,
    token: readToken(values, jobFile),
    job: jobOption(values, tenantUrl, jobFile?.job ?? DEFAULT_JOB),
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
    stateOption(values, jobFile, folder) ??
    defaultStateFile(directoryFile, stateTarget(target.tenantUrl, target.token))
  return { ...target, directoryFile, stateFile }
}

/**
 * The state file for commands that only look at it or change it: by --state, or where the job would have it.
 * @throws {UsageError} when there is none yet.
 */
export function readStateLocation(values: OptionValues): { file: string; target?: StateTarget } {
  const named = textOption(values, 'state')
  const location = named === undefined ? jobStateLocation(values) : { file: named }
  if (!existsSync(location.file))
    throw new UsageError(`There is no state file "${location.file}": the job has not run yet`)
  return location
}

function jobStateLocation(values: OptionValues): { file: string; target: StateTarget } {
  const { stateFile, tenantUrl, token } = readJobTarget(values)
  return { file: stateFile, target: stateTarget(tenantUrl, token) }
}

function readJobFile(values: OptionValues): { jobFile?: JobFile; folder: string } {
  const file = textOption(values, 'job')
  if (file === undefined) return { folder: '.' }
  const source = readDocument(file, 'job file')
  const { jobFile, problems } = parseJobFile(source.value)
  refuseProblems(source, problems, 'job file')
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

function readToken(values: OptionValues, jobFile: JobFile | undefined): string {
  const variable = jobFile?.tokenVariable ?? TOKEN_VARIABLE
  const token = textOption(values, 'token') ?? jobFile?.token ?? process.env[variable]
  if (token === undefined || token === '')
    throw new UsageError(
      `--token is missing: the Secret Token, which may also come from the variable ${variable}`,
    )
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new UsageError('The Secret Token has a character that a header cannot carry')
  return token
}
