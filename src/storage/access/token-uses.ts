/**
 * When a token was last used, when its client was last in contact to provision, and how far it has read the event feed:
 * written at most once a minute, in the batch that checks the token.
 */
import { type SQL, sql } from 'drizzle-orm'
import { CONTACT_PAUSE_MS, MAX_CONTACTS } from '../../scim/client-health.ts'
import { prepared, type Slots, type Statement } from '../database/database.ts'
import { isContactDue, isFeedReadDue, isLastUsedDue, LAST_USED_INTERVAL_MS } from './known-tokens.ts'
import { type Credentials, isValidToken } from './token-conditions.ts'

const touchStatement = prepared((slots: Slots<keyof Credentials | 'before'>) => {
  const isOld = sql`(last_used_at IS NULL OR last_used_at <= ${slots.before})`
  return sql`UPDATE tokens SET last_used_at = ${slots.now} WHERE ${isValidToken(slots)} AND ${isOld}`
})

/** Runs in the batch that checks the token, so it costs no round trip. */
export function lastUsedStatements(credentials: Credentials): readonly Statement[] {
  const { tokenHash, now } = credentials
  if (!isLastUsedDue(tokenHash, now)) return []
  return [note(touchStatement({ ...credentials, before: now - LAST_USED_INTERVAL_MS }))]
}

/** While a tenant is moved, both sides must stay equal. */
const contactStatement = prepared((slots: Slots<keyof Credentials | 'before' | 'lastPause'>) => {
  const { now, before, lastPause } = slots
  return sql`UPDATE clients SET last_provisioning_at = ${now},
      contacts = iif(coalesce(last_provisioning_at, 0) <= ${lastPause}, ${withContact(sql`${now}`)}, contacts)
    FROM tokens WHERE ${isValidToken(slots)} AND tokens.scope = 'provision' AND tokens.tenant_state = 'ready'
      AND clients.id = tokens.client_id AND coalesce(last_provisioning_at, 0) <= ${before}`
})

function withContact(now: SQL): SQL {
  const all = sql`json_insert(coalesce(contacts, '[]'), '$[#]', ${now})`
  const isFull = sql`json_array_length(coalesce(contacts, '[]')) >= ${sql.raw(String(MAX_CONTACTS))}`
  return sql`iif(${isFull}, json_remove(${all}, '$[0]'), ${all})`
}

/**
 * Notes a provisioning request: one of a token that may write, whether it reads or writes the directory. A request that
 * begins after a pause is a contact: see scim/client-health.ts.
 */
export function contactStatements(credentials: Credentials): readonly Statement[] {
  const { now } = credentials
  if (!isContactDue(credentials)) return []
  const before = now - LAST_USED_INTERVAL_MS
  return [note(contactStatement({ ...credentials, before, lastPause: now - CONTACT_PAUSE_MS }))]
}

const feedReadStatement = prepared((slots: Slots<keyof Credentials | 'seq' | 'before'>) => {
  const isOld = sql`(feed_read_at IS NULL OR feed_read_at <= ${slots.before})`
  return sql`UPDATE tokens SET feed_seq = ${slots.seq}, feed_read_at = ${slots.now}
    WHERE ${isValidToken(slots)} AND ${isOld}`
})

/** Remembers the position of a reader at most once a minute, so long polls write no more than that. */
export function feedReadStatements(credentials: Credentials, seq: number | undefined): readonly Statement[] {
  if (seq === undefined || !isFeedReadDue(credentials)) return []
  return [note(feedReadStatement({ ...credentials, seq, before: credentials.now - LAST_USED_INTERVAL_MS }))]
}

function note(statement: Statement): Statement {
  return { ...statement, isNote: true }
}
