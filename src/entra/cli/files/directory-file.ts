/** Reads a directory file (JSON or YAML) and refuses it with file, line and field when it has a mistake. */
import { type Directory, parseDirectory } from '../../documents/directory.ts'
import type { JobState } from '../../documents/state.ts'
import { readDocument, refuseProblems } from './documents.ts'

/**
 * A member id that nobody has is a mistake, unless the state knows it: then it is somebody deleted since.
 * @throws {UsageError}
 */
export function readDirectory(file: string, objects: JobState['objects'] = {}): Directory {
  const source = readDocument(file, 'directory file')
  const { directory, unknownMembers, problems } = parseDirectory(source.value)
  const unknown = unknownMembers
    .filter(({ id }) => !Object.hasOwn(objects, id))
    .map(({ path, id }) => ({ path, message: `names "${id}", which is the id of no user and no group` }))
  refuseProblems(source, [...problems, ...unknown], 'directory file')
  return directory
}
