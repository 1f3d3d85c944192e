/** The tables of access: clients, their tokens, and ended sessions of the dashboard. */
import { sql } from 'drizzle-orm'
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import { tenants } from './tenant-tables.ts'

/**
 * A client of a tenant: the actor that the provisioning log names, whatever credential it uses. A client that the
 * administrator deletes has no valid token, and its row stays until the log no longer names it.
 */
export const clients = sqliteTable(
  'clients',
  {
    /** `<tenantId>_<random>`. */
    id: text('id').primaryKey(),
    tenantId: text('tenant_id').notNull(),
    name: text('name').notNull(),
    /** The scope of all of its tokens. */
    scope: text('scope', { enum: ['provision', 'read'] }).notNull(),
    /** The key that seals its cursors. */
    cursorKey: text('cursor_key').notNull().default(sql`(lower(hex(randomblob(16))))`),
    createdAt: integer('created_at').notNull(),
    /** The latest use of a token that is deleted by now. */
    lastUsedAt: integer('last_used_at'),
    deletedAt: integer('deleted_at'),
  },
  (table) => [
    index('clients_by_tenant').on(table.tenantId, table.createdAt, table.id),
    index('clients_deleted').on(table.deletedAt).where(sql`deleted_at IS NOT NULL`),
  ],
)

/**
 * A bearer token of a client. Only its SHA-256 is stored. Revoked and expired tokens stay as long as the provisioning
 * log names them, or until their tenant is deleted.
 */
export const tokens = sqliteTable(
  'tokens',
  {
    id: text('id').primaryKey(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id),
    name: text('name').notNull(),
    scope: text('scope', { enum: ['provision', 'read'] }).notNull(),
    /** Hexadecimal. */
    hash: text('hash').notNull(),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at'),
    /** Written at most once a minute. */
    lastUsedAt: integer('last_used_at'),
    revokedAt: integer('revoked_at'),
    /** The token that replaces this one, which is to be revoked. */
    replacedBy: text('replaced_by'),
    /** Derived: the state of its tenant. */
    tenantState: text('tenant_state').notNull().default('ready'),
    /** Derived: the version of the configuration of its tenant. */
    tenantVersion: integer('tenant_version').notNull().default(0),
    /** A trigger creates a client for a token without one, so the value is NULL in no row. */
    clientId: text('client_id'),
    /** Derived: the `cursorKey` of its client. */
    cursorKey: text('cursor_key'),
  },
  (table) => [
    uniqueIndex('tokens_by_hash').on(table.hash),
    index('tokens_by_tenant').on(table.tenantId, table.id),
    index('tokens_revoked').on(table.revokedAt).where(sql`revoked_at IS NOT NULL`),
    index('tokens_expiring').on(table.expiresAt).where(sql`expires_at IS NOT NULL`),
  ],
)

/**
 * A session of the dashboard that its administrator ended. Sessions are signed cookies; a row here invalidates copies
 * of the cookie. The cron trigger deletes it long after the session would have expired.
 */
export const endedSessions = sqliteTable('ended_sessions', {
  id: text('id').primaryKey(),
  expiresAt: integer('expires_at').notNull(),
})
