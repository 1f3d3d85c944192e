/**
 * When a token was last used, and how far its client has read the event feed: written at most once a minute, in the batch
 * that checks the token.
 */
import { sql } from 'drizzle-orm'
import { prepared, type Slots, type Statement } from '../database/database.ts'
import { isFeedReadDue, isLastUsedDue, LAST_USED_INTERVAL_MS } from './known-tokens.ts'
import { type Credentials, isValidToken } from './token-conditions.ts'

const touchStatement = prepared((slots: Slots<keyof Credentials | 'before'>) => {
  const isOld = sql`(last_used_at IS NULL OR last_used_at <= ${slots.before})`
  return sql`UPDATE tokens SET last_used_at = ${slots.now} WHERE ${isValidToken(slots)} AND ${isOld}`
})

/** Runs in the batch that checks the token, so it costs no round trip. */
export function lastUsedStatements(credentials: Credentials): readonly Statement[] {
  const { tokenHash, now } = credentials
  if (!isLastUsedDue(tokenHash, now)) return []
  return [touchStatement({ ...credentials, before: now - LAST_USED_INTERVAL_MS })]
}

const feedReadStatement = prepared((slots: Slots<keyof Credentials | 'seq' | 'before'>) => {
  const isOld = sql`(feed_read_at IS NULL OR feed_read_at <= ${slots.before})`
  return sql`UPDATE tokens SET feed_seq = ${slots.seq}, feed_read_at = ${slots.now}
    WHERE ${isValidToken(slots)} AND ${isOld}`
})

/** Remembers the position of a reader at most once a minute, so long polls write no more than that. */
export function feedReadStatements(credentials: Credentials, seq: number | undefined): readonly Statement[] {
  if (seq === undefined || !isFeedReadDue(credentials)) return []
  return [feedReadStatement({ ...credentials, seq, before: credentials.now - LAST_USED_INTERVAL_MS })]
}
