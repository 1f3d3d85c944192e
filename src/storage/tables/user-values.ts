/**
 * The values of users that filters look up: rows of their own, because a user may have several values of one attribute.
 * Triggers keep them (migrations/0027_user_values.sql, 0036_changed_values.sql); no other code writes them.
 */
import { type SQL, sql } from 'drizzle-orm'
import { blob, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { Complex } from '../../scim/comparison.ts'
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

/** Those of USER_VALUES with several values. The others have one row each. */
const LISTS = ['emails', 'phoneNumbers'] as const

/** The number of values in lists that a change of a user adds or removes: each is a row. Zero for other resources. */
export function changedValues(before: Complex, after: Complex): number {
  return LISTS.reduce((count, name) => {
    const [was, is] = [before[name], after[name]]
    // Attributes that a change does not concern are the same objects.
    return was === is ? count : count + differences(valuesIn(was), valuesIn(is))
  }, 0)
}

function valuesIn(list: unknown): ReadonlySet<unknown> {
  return new Set(Array.isArray(list) ? list.map(({ value }: Complex) => value) : [])
}

/** The number of values that are in one of the two. */
function differences(a: ReadonlySet<unknown>, b: ReadonlySet<unknown>): number {
  let inBoth = 0
  for (const value of a) if (b.has(value)) inBoth++
  return a.size + b.size - 2 * inBoth
}

/** The number of values in lists of a resource, in SQL: zero for one that is no user. @param keys its comparison document */
export function countOfValues(keys: SQL): SQL {
  const lengths = LISTS.map((name) => sql`coalesce(json_array_length(${keys}, ${sql.raw(`'$.${name}'`)}), 0)`)
  return sql.join(lengths, sql` + `)
}
