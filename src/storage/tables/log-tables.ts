/** The tables of the provisioning log and of what is counted from it. */
import { sql } from 'drizzle-orm'
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

/** Ids, indexes and other columns take about 512 bytes. */
const LOG_ENTRY_BYTES = sql.raw(
  `512 + ${['resource_id', 'resource_name', 'detail', 'changes', 'ignored', 'request_id', 'request']
    .map((column) => `length(CAST(coalesce(${column}, '') AS BLOB))`)
    .join(' + ')}`,
)

/**
 * The provisioning log: a write that an authenticated client tried, access that failed, or a warning. `id` is a UUIDv7, so the
 * order of ids is the order of time. It holds no value of an attribute that is never returned. The cron trigger
 * prunes it, and a database trigger prunes it when the tenant exceeds MAX_LOG_BYTES.
 */
export const provisioningLog = sqliteTable(
  'provisioning_log',
  {
    tenantId: text('tenant_id').notNull(),
    id: text('id').notNull(),
    time: integer('time').notNull(),
    /** A token; or what an access token was issued for: see `tokens.credentialId`. Empty if it is unknown. */
    tokenId: text('token_id').notNull(),
    /** "read" stands for a refused read, "authenticate" for access that failed, "warn" for a credential that expires soon. */
    action: text('action', {
      enum: [
        'create',
        'update',
        'disable',
        'enable',
        'delete',
        'add member',
        'remove member',
        'read',
        'authenticate',
        'warn',
      ],
    }).notNull(),
    outcome: text('outcome', { enum: ['accepted', 'refused'] }).notNull(),
    resourceType: text('resource_type').notNull(),
    resourceId: text('resource_id'),
    resourceName: text('resource_name'),
    /** The HTTP status that was answered. */
    status: integer('status').notNull(),
    scimType: text('scim_type'),
    detail: text('detail'),
    /** JSON: changed attributes with their old and new values. */
    changes: text('changes').notNull(),
    /** JSON: names of ignored attributes and schemas. */
    ignored: text('ignored').notNull(),
    requestId: text('request_id').notNull(),
    /** The number of further refused writes of this kind in the same minute; they have no entry of their own. */
    repeated: integer('repeated').notNull().default(0),
    /** For refused writes and failed access: events with the same key share an entry. */
    foldKey: text('fold_key'),
    /** NULL in entries of older versions, whose client is that of their token, and if the client is unknown. */
    clientId: text('client_id'),
    /** JSON: see scim/kept-request.ts. NULL in an entry that has none. */
    request: text('request'),
    /** The approximate size of the entry, its indexes included. */
    bytes: integer('bytes').generatedAlwaysAs(LOG_ENTRY_BYTES, { mode: 'virtual' }),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    uniqueIndex('provisioning_log_folded').on(table.tenantId, table.foldKey).where(sql`fold_key IS NOT NULL`),
    index('provisioning_log_by_resource').on(table.tenantId, table.resourceId, table.id),
    index('provisioning_log_refused').on(table.tenantId, table.id).where(sql`outcome = 'refused'`),
  ],
)

/**
 * What the clients of a tenant did in one hour of the last day. A trigger derives it from the provisioning log, so
 * that a chart reads one row per hour and not one per write. When a new hour begins, a trigger folds rows older than
 * a day into `provisioning_days`.
 */
export const provisioningActivity = sqliteTable(
  'provisioning_activity',
  {
    tenantId: text('tenant_id').notNull(),
    /** The start of the hour. */
    hour: integer('hour').notNull(),
    creates: integer('creates').notNull(),
    /** Accepted writes of other kinds: attributes, members, enabling. */
    updates: integer('updates').notNull(),
    disables: integer('disables').notNull(),
    deletes: integer('deletes').notNull(),
    /** Includes those that share an entry of the log. */
    refused: integer('refused').notNull(),
    /** Bytes of entries that `log_bytes` of the tenant does not include yet. */
    logBytes: integer('log_bytes').notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.hour] })],
)

/**
 * What the clients of a tenant did in one day (UTC), without the hours of `provisioning_activity`. It outlives the
 * pruned log. Triggers delete a row when there are 33 newer ones, and with its tenant.
 */
export const provisioningDays = sqliteTable(
  'provisioning_days',
  {
    tenantId: text('tenant_id').notNull(),
    /** The start of the day. */
    day: integer('day').notNull(),
    creates: integer('creates').notNull(),
    updates: integer('updates').notNull(),
    disables: integer('disables').notNull(),
    deletes: integer('deletes').notNull(),
    refused: integer('refused').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.day] })],
)

/**
 * One row, with id 1: the highest time that retention trusts. Retention counts ages from this time, so a clock that
 * is ahead deletes little. The cron trigger writes it.
 */
export const retentionClock = sqliteTable('retention_clock', {
  id: integer('id').primaryKey(),
  time: integer('time').notNull(),
})
