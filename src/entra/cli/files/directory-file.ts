/** Reads a directory file (JSON or YAML). Errors name the file, line and field. */
import { type Directory, parseDirectory } from '../../documents/directory.ts'
import type { JobState } from '../../documents/state.ts'
import { readDocument, throwProblems } from './documents.ts'

/**
 * An unknown member id is an error, unless the state contains it: then it belongs to a deleted object.
 * @throws {UsageError}
 */
export function readDirectory(file: string, objects: JobState['objects'] = {}): Directory {
  const source = readDocument(file, 'directory file')
  const { directory, unknownMembers, problems } = parseDirectory(source.value)
  const unknown = unknownMembers
    .filter(({ id }) => !Object.hasOwn(objects, id))
    .map(({ path, id }) => ({ path, message: `contains "${id}", which is not the id of a user or group` }))
  throwProblems(source, [...problems, ...unknown], 'directory file')
  return directory
}
