/**
 * All tables. `npm run migrations:generate` makes migrations/ from this file; STRICT, WITHOUT ROWID and
 * triggers are written into the migrations by hand, because drizzle has no words for them. A test
 * compares the two. All times are milliseconds since 1970-01-01 UTC.
 */
import { type SQL, sql } from 'drizzle-orm'
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import { CISCO_UMBRELLA_GROUP_SCHEMA, CISCO_UMBRELLA_USER_SCHEMA } from '../scim/urn.ts'

/**
 * One organisation's directory. The administrator makes and deletes it. The counts are derived, kept by
 * triggers, so that nothing has to count rows.
 */
export const tenants = sqliteTable('tenants', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  groupLimit: integer('group_limit').notNull().default(200),
  userCount: integer('user_count').notNull().default(0),
  activeUserCount: integer('active_user_count').notNull().default(0),
  groupCount: integer('group_count').notNull().default(0),
  /** The sum of the groups' member counts. */
  membershipCount: integer('membership_count').notNull().default(0),
  /** The sums of the blocks of its users and of its groups: see `blocks`. */
  userBlocks: integer('user_blocks').notNull().default(0),
  groupBlocks: integer('group_blocks').notNull().default(0),
  createdAt: integer('created_at').notNull(),
})

/**
 * A bearer token of a client. Only its SHA-256 is here. Revoked tokens stay, so that the provisioning log
 * can name them; they go with their tenant.
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
    /** The token that was generated to take its place: this one is to be revoked. */
    replacedBy: text('replaced_by'),
  },
  (table) => [
    uniqueIndex('tokens_by_hash').on(table.hash),
    index('tokens_by_tenant').on(table.tenantId, table.id),
  ],
)

/** A column that follows from the comparison document: see src/scim/comparison.ts. */
const key = (path: string): SQL => sql.raw(`json_extract("keys", '${path}')`)

/**
 * The size of a row, for what it costs to look through it: whole blocks of 4 KiB of its documents, in which each object
 * from the ninth on counts 256 bytes more. Ordinary rows have none.
 */
const blocks = (): SQL =>
  sql.raw(
    `(octet_length("data") + octet_length("keys") + 256 * max(octet_length("keys") - octet_length(replace("keys", '{', '')) - 8, 0)) / 4096`,
  )

/**
 * A User resource. `data` is the resource as the client sent it, in canonical form, without id, meta and
 * groups; `keys` is its comparison document. The other columns are derived from `keys`, for the indexes.
 * A client deletes it.
 */
export const users = sqliteTable(
  'users',
  {
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id),
    id: text('id').notNull(),
    data: text('data').notNull(),
    keys: text('keys').notNull(),
    version: integer('version').notNull(),
    createdAt: integer('created_at').notNull(),
    lastModified: integer('last_modified').notNull(),
    userNameKey: text('user_name_key').generatedAlwaysAs(key('$.userName'), { mode: 'virtual' }),
    externalId: text('external_id').generatedAlwaysAs(key('$.externalId'), { mode: 'virtual' }),
    displayNameKey: text('display_name_key').generatedAlwaysAs(key('$.displayName'), { mode: 'virtual' }),
    nativeObjectIdKey: text('native_object_id_key').generatedAlwaysAs(
      key(`$."${CISCO_UMBRELLA_USER_SCHEMA}".nativeObjectId`),
      { mode: 'virtual' },
    ),
    active: integer('active').generatedAlwaysAs(key('$.active'), { mode: 'virtual' }),
    blocks: integer('blocks').generatedAlwaysAs(blocks(), { mode: 'virtual' }),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    uniqueIndex('users_by_user_name').on(table.tenantId, table.userNameKey),
    index('users_by_external_id').on(table.tenantId, table.externalId).where(sql`external_id IS NOT NULL`),
    index('users_by_display_name')
      .on(table.tenantId, table.displayNameKey)
      .where(sql`display_name_key IS NOT NULL`),
    index('users_by_native_object_id')
      .on(table.tenantId, table.nativeObjectIdKey)
      .where(sql`native_object_id_key IS NOT NULL`),
    index('users_by_last_modified').on(table.tenantId, table.lastModified),
    // Tells whether a page may have to be cut: see page-size.ts.
    index('users_by_size').on(table.tenantId, sql`octet_length(data)`).where(sql`octet_length(data) > 4096`),
  ],
)

/**
 * A Group resource, as `users`; its members are rows of `memberships`. A client deletes it.
 */
export const groups = sqliteTable(
  'groups',
  {
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenants.id),
    id: text('id').notNull(),
    data: text('data').notNull(),
    keys: text('keys').notNull(),
    version: integer('version').notNull(),
    createdAt: integer('created_at').notNull(),
    lastModified: integer('last_modified').notNull(),
    /** Derived: the rows of the group in `memberships`. */
    memberCount: integer('member_count').notNull().default(0),
    displayNameKey: text('display_name_key').generatedAlwaysAs(key('$.displayName'), { mode: 'virtual' }),
    externalId: text('external_id').generatedAlwaysAs(key('$.externalId'), { mode: 'virtual' }),
    nativeObjectIdKey: text('native_object_id_key').generatedAlwaysAs(
      key(`$."${CISCO_UMBRELLA_GROUP_SCHEMA}".nativeObjectId`),
      { mode: 'virtual' },
    ),
    blocks: integer('blocks').generatedAlwaysAs(blocks(), { mode: 'virtual' }),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    uniqueIndex('groups_by_display_name').on(table.tenantId, table.displayNameKey),
    index('groups_by_external_id').on(table.tenantId, table.externalId).where(sql`external_id IS NOT NULL`),
    index('groups_by_native_object_id')
      .on(table.tenantId, table.nativeObjectIdKey)
      .where(sql`native_object_id_key IS NOT NULL`),
    index('groups_by_size').on(table.tenantId, sql`octet_length(data)`).where(sql`octet_length(data) > 1024`),
  ],
)

/**
 * One member of one group. It goes with either end, by triggers: a trigger also refuses one whose ends
 * are not there. The index is the way from a member to its groups.
 */
export const memberships = sqliteTable(
  'memberships',
  {
    tenantId: text('tenant_id').notNull(),
    groupId: text('group_id').notNull(),
    memberId: text('member_id').notNull(),
    memberType: text('member_type', { enum: ['User', 'Group'] }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.groupId, table.memberId] }),
    index('memberships_by_member').on(table.tenantId, table.memberId, table.groupId),
    // Tells whether a tenant has nested groups at all.
    index('memberships_nested').on(table.tenantId).where(sql`member_type = 'Group'`),
  ],
)

/**
 * One write that an authenticated client tried: the provisioning log. `id` is a UUIDv7, so ids are in the
 * order of time. Holds no value of an attribute that is never returned. Pruned by the cron trigger.
 */
export const provisioningLog = sqliteTable(
  'provisioning_log',
  {
    tenantId: text('tenant_id').notNull(),
    id: text('id').notNull(),
    time: integer('time').notNull(),
    tokenId: text('token_id').notNull(),
    action: text('action').notNull(),
    outcome: text('outcome', { enum: ['accepted', 'refused'] }).notNull(),
    resourceType: text('resource_type').notNull(),
    resourceId: text('resource_id'),
    resourceName: text('resource_name'),
    /** The HTTP status that was answered. */
    status: integer('status').notNull(),
    scimType: text('scim_type'),
    detail: text('detail'),
    /** JSON: changed attributes with old and new value. */
    changes: text('changes').notNull(),
    /** JSON: names of ignored attributes and schemas. */
    ignored: text('ignored').notNull(),
    requestId: text('request_id').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    index('provisioning_log_by_resource').on(table.tenantId, table.resourceId, table.id),
    index('provisioning_log_refused').on(table.tenantId, table.id).where(sql`outcome = 'refused'`),
  ],
)

/**
 * What the clients of a tenant did in one hour of the last day: derived from the provisioning log by a
 * trigger, so that a chart reads a row for each hour and not one for each write. When a new hour begins,
 * a trigger folds those older than a day into `provisioning_days`.
 */
export const provisioningActivity = sqliteTable(
  'provisioning_activity',
  {
    tenantId: text('tenant_id').notNull(),
    /** The time at which the hour begins. */
    hour: integer('hour').notNull(),
    creates: integer('creates').notNull(),
    /** Accepted writes that are none of the others: attributes, members, enabling. */
    updates: integer('updates').notNull(),
    disables: integer('disables').notNull(),
    deletes: integer('deletes').notNull(),
    refused: integer('refused').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.hour] })],
)

/**
 * What the clients of a tenant did in one day (UTC), without the hours of `provisioning_activity`.
 * Outlives the pruned log; triggers delete it after 32 days and with its tenant.
 */
export const provisioningDays = sqliteTable(
  'provisioning_days',
  {
    tenantId: text('tenant_id').notNull(),
    /** The time at which the day begins. */
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
 * A session of the dashboard that its administrator ended. Sessions live in signed cookies; a row here
 * makes a copy of the cookie worthless. Deleted when the session would have expired by itself.
 */
export const endedSessions = sqliteTable('ended_sessions', {
  id: text('id').primaryKey(),
  expiresAt: integer('expires_at').notNull(),
})
