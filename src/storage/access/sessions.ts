/**
 * Sessions of the dashboard that were ended before they expired. The session itself is a signed cookie
 * (src/admin/session.ts); a row here invalidates copies of the cookie.
 */
import { type SQL, sql } from 'drizzle-orm'
import { type Database, GuardError, statement } from '../database/database.ts'

/** The session was ended. The results were discarded. */
export class SessionEnded extends Error {}

/** The session of a request. */
export interface CheckedSession {
  readonly id: string
  /** The named token with which it began: the session ends when the token is revoked. */
  readonly adminTokenId?: string | undefined
}

/** A condition in SQL: the session was ended. Its expiry is in the cookie. */
function isEnded({ id, adminTokenId }: CheckedSession): SQL {
  const ended = sql`EXISTS (SELECT 1 FROM ended_sessions WHERE id = ${id})`
  if (adminTokenId === undefined) return ended
  return sql`(${ended} OR NOT EXISTS (
    SELECT 1 FROM admin_tokens WHERE id = ${adminTokenId} AND revoked_at IS NULL))`
}

/**
 * A database whose batches also check whether the session was ended, so that the check costs no round trip. It is for
 * reads only: a write would be done before the result of the check is known.
 *
 * @throws {SessionEnded} from each batch after the session was ended
 */
export function readDuringSession(db: Database, session: CheckedSession): Database {
  const check = statement(sql`SELECT 1 WHERE ${isEnded(session)}`)
  return {
    async batch(statements, isLong) {
      const [ended, ...results] = await db.batch([check, ...statements], isLong)
      if (ended?.rows.length !== 0) throw new SessionEnded()
      return results
    },
  }
}

/**
 * A database whose batches change nothing after the session was ended.
 *
 * @throws {SessionEnded} from each batch after the session was ended
 */
export function writeDuringSession(db: Database, session: CheckedSession): Database {
  // Uses the guard for an invalid token: the session is the administrator's credential.
  const guard = statement(sql`INSERT INTO guards (rule)
    SELECT 'none' WHERE ${isEnded(session)}`)
  return {
    async batch(statements, isLong) {
      try {
        return (await db.batch([guard, ...statements], isLong)).slice(1)
      } catch (error) {
        if (error instanceof GuardError && error.rule === 'no token') throw new SessionEnded()
        throw error
      }
    },
  }
}

/** Ends a session. The cron trigger deletes its row later. `expiresAt` in milliseconds since 1970. */
export async function endSession(
  db: Database,
  session: { readonly id: string; readonly expiresAt: number },
): Promise<void> {
  await endSessionOnce(db, session)
}

/** The same for what may be used once, such as a sign-in that is under way. @returns false if it was ended before */
export async function endSessionOnce(
  db: Database,
  { id, expiresAt }: { readonly id: string; readonly expiresAt: number },
): Promise<boolean> {
  const [ended] = await db.batch([
    statement(sql`INSERT INTO ended_sessions (id, expires_at) VALUES (${id}, ${expiresAt})
      ON CONFLICT (id) DO NOTHING`),
  ])
  return ended?.changes === 1
}
