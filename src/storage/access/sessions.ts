/**
 * Sessions of the dashboard that were ended before they expired. The session itself is a signed cookie
 * (src/admin/session.ts); a row here invalidates copies of the cookie.
 */
import { sql } from 'drizzle-orm'
import { type Database, GuardError, statement } from '../database/database.ts'

/** The session was ended. The results were discarded. */
export class SessionEnded extends Error {}

/**
 * A database whose batches also check whether the session was ended, so that the check costs no round trip. It is for
 * reads only: a write would be done before the result of the check is known.
 *
 * @throws {SessionEnded} from each batch after the session was ended
 */
export function readDuringSession(db: Database, sessionId: string): Database {
  const check = statement(sql`SELECT 1 FROM ended_sessions WHERE id = ${sessionId}`)
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
export function writeDuringSession(db: Database, sessionId: string): Database {
  // Uses the guard for an invalid token: the session is the administrator's credential.
  const guard = statement(sql`INSERT INTO guards (rule)
    SELECT 'none' WHERE EXISTS (SELECT 1 FROM ended_sessions WHERE id = ${sessionId})`)
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
  await db.batch([
    statement(sql`INSERT INTO ended_sessions (id, expires_at) VALUES (${session.id}, ${session.expiresAt})
      ON CONFLICT (id) DO NOTHING`),
  ])
}
