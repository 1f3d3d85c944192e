/**
 * Optimistic concurrency: load, decide, write at the version that was loaded; when someone else was
 * first, once more. Nobody's change is lost, and nobody waits for a lock.
 */
import { ScimError } from '../scim/error.ts'
import { GuardError } from '../storage/database/database.ts'

/** In each round at least one writer wins, so this many can change one resource at the same moment. */
const MAX_ATTEMPTS = 64

/** True of what a write throws when the resource is not at the version that it was decided at. */
export function isStale(error: unknown): boolean {
  return error instanceof GuardError && error.rule === 'stale version'
}

/**
 * Runs an attempt until it does not meet a stale version.
 *
 * @throws {ScimError} 503 when others were first every time; nothing is changed then
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
