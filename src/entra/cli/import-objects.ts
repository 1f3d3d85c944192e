/** The import step for a command: a scoping filter that cannot be decided ends the command before anything is sent. */
import type { Directory } from '../documents/directory.ts'
import type { JobConfig } from '../documents/job.ts'
import type { JobState } from '../documents/state.ts'
import { type ImportedObject, importDirectory } from '../engine/import.ts'
import { ScopingError } from '../mappings/scoping-filter.ts'
import { UsageError } from './usage-error.ts'

/** @throws {UsageError} */
export function importObjects(
  directory: Directory,
  job: JobConfig,
  state: JobState,
  now: number,
): ReadonlyMap<string, ImportedObject> {
  try {
    return importDirectory(directory, job, state, now)
  } catch (error) {
    if (!(error instanceof ScopingError)) throw error
    throw new UsageError(`The scoping filter ${error.message}`)
  }
}
