/** The tables of the guard against unusual deprovisioning, and of users whom an administrator has disabled at once. */
import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/**
 * What a client took away in a part of a window: see src/scim/deprovisioning.ts. Triggers delete a row two days later, and with
 * its client.
 */
export const deprovisioning = sqliteTable(
  'deprovisioning',
  {
    tenantId: text('tenant_id').notNull(),
    clientId: text('client_id').notNull(),
    /** The start of the part. */
    bucket: integer('bucket').notNull(),
    /** Disabled and deleted users. */
    users: integer('users').notNull(),
    /** Deleted groups. */
    groups: integer('groups').notNull(),
    /** Memberships that were removed, or deleted with their group. */
    memberships: integer('memberships').notNull(),
    /** Writes that the guard held. */
    held: integer('held').notNull(),
    /** When it was told that this is unusual, and the data of the event as JSON. NULL if it was not, or before. */
    alarmedAt: integer('alarmed_at'),
    alarm: text('alarm'),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.clientId, table.bucket] })],
)

/**
 * A user whom an administrator has disabled at once, as long as no client has enabled it again. A trigger stores a row for the
 * entry in the log, and deletes it when the user is enabled or deleted.
 */
export const emergencyDisables = sqliteTable(
  'emergency_disables',
  {
    tenantId: text('tenant_id').notNull(),
    userId: text('user_id').notNull(),
    time: integer('time').notNull(),
    /** The detail of the entry: who, and why. */
    detail: text('detail').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.userId] })],
)
