/** The tables of administrators, in the first database: their tokens, and what they did. */
import { sql } from 'drizzle-orm'
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import { VIAS } from '../../administrators/administrator.ts'
import { ROLES } from '../../administrators/role.ts'

/**
 * A named token of an administrator, for the admin API and the dashboard. Only its SHA-256 is stored. Tokens that ended long ago
 * are deleted when another one is generated.
 */
export const adminTokens = sqliteTable(
  'admin_tokens',
  {
    /** UUIDv7. */
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    role: text('role', { enum: ROLES }).notNull(),
    /** JSON: the ids of its tenants; NULL: all tenants. */
    tenants: text('tenants', { mode: 'json' }).$type<readonly string[]>(),
    /** Hexadecimal. */
    hash: text('hash').notNull(),
    /** By which an administrator recognises the token. */
    firstCharacters: text('first_characters').notNull(),
    lastCharacters: text('last_characters').notNull(),
    /** The name of the administrator who generated it. */
    createdBy: text('created_by').notNull(),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at'),
    /** Written at most once a minute. */
    lastUsedAt: integer('last_used_at'),
    revokedAt: integer('revoked_at'),
  },
  (table) => [uniqueIndex('admin_tokens_by_hash').on(table.hash)],
)

/**
 * The audit trail: what an administrator did or tried, in the dashboard and the admin API. It holds no secret. The cron
 * trigger prunes it, and a trigger deletes the oldest entry when there are more than MAX_AUDIT_ENTRIES.
 */
export const auditTrail = sqliteTable(
  'audit_trail',
  {
    /** The order of the entries. No number is used twice. */
    seq: integer('seq').primaryKey({ autoIncrement: true }),
    /** The time of the first request of the entry. */
    time: integer('time').notNull(),
    /** The name of the administrator; of a refused sign-in: the network. */
    administrator: text('administrator').notNull(),
    /** NULL: unknown, because the sign-in was refused. */
    via: text('via', { enum: VIAS }),
    /** The operation of the admin API that was done, "signIn" or "signOut". */
    operation: text('operation').notNull(),
    /** Whether the request was a form of the dashboard or one of the admin API. */
    source: text('source', { enum: ['dashboard', 'admin API'] }).notNull(),
    /** NULL if it concerns no tenant. */
    tenantId: text('tenant_id'),
    /** The id of what was created, changed or ended; NULL: the tenant itself, or unknown. */
    target: text('target'),
    /** "begun": stored with the first write of a request; the server ended before it stored the outcome. */
    outcome: text('outcome', { enum: ['accepted', 'refused', 'begun'] }).notNull(),
    /** The HTTP status that was answered; 0 for a request that has begun. */
    status: integer('status').notNull(),
    /** Why it was refused. */
    detail: text('detail'),
    /** JSON: the fields that were sent or changed, with the values before where they are known. */
    changes: text('changes').notNull(),
    requestId: text('request_id').notNull(),
    /** The number of further requests of this kind in the same minute, which have no entry of their own. */
    repeated: integer('repeated').notNull().default(0),
    /** Refused requests with the same key share an entry. An entry that has begun has a key of its own until its outcome is stored. */
    foldKey: text('fold_key'),
  },
  (table) => [
    index('audit_trail_by_tenant').on(table.tenantId, table.seq).where(sql`tenant_id IS NOT NULL`),
    index('audit_trail_by_time').on(table.time),
    uniqueIndex('audit_trail_folded').on(table.foldKey).where(sql`fold_key IS NOT NULL`),
  ],
)
