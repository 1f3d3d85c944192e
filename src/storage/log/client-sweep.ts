/**
 * Where the hourly run goes on to look for changes of the health of clients.
 */
import { sql } from 'drizzle-orm'
import { type Statement, statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'

/** The id of the client that was looked at last; empty before the first one. */
export const sweepPositionQuery: Query<string> = {
  statements: [statement(sql`SELECT position FROM client_sweep WHERE id = 1`)],
  read: ([result]) => String(result?.rows[0]?.position ?? ''),
}

/** Stores after which client the next sweep goes on. */
export function storePositionStatement(position: string): Statement {
  return statement(sql`INSERT INTO client_sweep (id, position) VALUES (1, ${position})
    ON CONFLICT (id) DO UPDATE SET position = excluded.position`)
}
