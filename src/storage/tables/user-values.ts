/**
 * The values of users that filters look up: rows of their own, because a user may have several values of one attribute.
 * Triggers keep them (migrations/0027_user_values.sql, 0035_changed_values.sql); no other code writes them.
 */
import { blob, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { ENTERPRISE_USER_SCHEMA } from '../../scim/urn.ts'

export const userValues = sqliteTable(
  'user_values',
  {
    tenantId: text('tenant_id').notNull(),
    /** Its number: see USER_VALUES. */
    attribute: integer('attribute').notNull(),
    /** The first MAX_VALUE_BYTES of the comparison key, in UTF-8. */
    value: blob('value').notNull(),
    userId: text('user_id').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.attribute, table.value, table.userId] })],
)

/** Longer values are stored in part, so that a match has to be verified. The triggers have the same number. */
export const MAX_VALUE_BYTES = 256

/** An attribute with rows in `user_values`. */
export interface ValueAttribute {
  readonly number: number
  /** The only value that has rows; undefined if all have. */
  readonly only?: boolean
  /** Whether many users may share one value. */
  readonly isShared?: boolean
}

/** By canonical path. The numbers are those in the triggers. */
export const USER_VALUES: Readonly<Record<string, ValueAttribute>> = {
  'emails.value': { number: 1 },
  'phoneNumbers.value': { number: 2, isShared: true },
  'name.familyName': { number: 3, isShared: true },
  'name.givenName': { number: 4, isShared: true },
  [`${ENTERPRISE_USER_SCHEMA}:employeeNumber`]: { number: 5 },
  // Most users are active.
  active: { number: 6, only: false, isShared: true },
}

/** The users whose ids do not tell when they were created, except for CREATED_TOLERANCE_MS. Their value is empty. */
export const OTHERWISE_CREATED = 7
export const CREATED_TOLERANCE_MS = 60_000
