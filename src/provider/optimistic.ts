/**
 * Optimistic concurrency: load, decide, write on condition of the loaded version; repeat if another writer was first. No
 * change is lost, and no writer waits for a lock.
 */
import { ScimError } from '../scim/error.ts'
import { GuardError } from '../storage/database/database.ts'

/** At least one writer succeeds in each round, so this many can change one resource at the same moment. */
const MAX_ATTEMPTS = 64

/** True if the write failed because the resource has changed since it was loaded. */
export function isStale(error: unknown): boolean {
  return error instanceof GuardError && error.rule === 'stale version'
}

/**
 * Repeats an attempt while it fails because of a stale version.
 *
 * @throws {ScimError} 503 if another writer was first every time; nothing is changed
 */
export async function retryWhileStale<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let i = 0; i < MAX_ATTEMPTS; i++) {
    try {
      return await attempt()
    } catch (error) {
      if (!isStale(error)) throw error
    }
  }
  throw new ScimError(503, undefined, 'too many clients change this resource at the same time; try again')
}
