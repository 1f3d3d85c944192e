/**
 * All tables. `npm run migrations:generate` derives migrations/ from this file. STRICT, WITHOUT ROWID and triggers
 * are added to the migrations by hand, because drizzle cannot express them. A test compares the two. All times are
 * milliseconds since 1970-01-01 UTC.
 */
import { type SQL, sql } from 'drizzle-orm'
import {
  customType,
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
  uniqueIndex,
} from 'drizzle-orm/sqlite-core'
import { CISCO_UMBRELLA_GROUP_SCHEMA, CISCO_UMBRELLA_USER_SCHEMA } from '../../scim/urn.ts'

/**
 * One organisation's directory. The administrator creates and deletes it. The counts are derived: triggers maintain
 * them, so no query counts rows.
 */
export const tenants = sqliteTable(
  'tenants',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    groupLimit: integer('group_limit').notNull().default(200),
    /** Whether no two groups share a displayName in comparison form. Triggers on `groups` enforce it. */
    uniqueGroupNames: integer('unique_group_names', { mode: 'boolean' }).notNull().default(true),
    userCount: integer('user_count').notNull().default(0),
    activeUserCount: integer('active_user_count').notNull().default(0),
    groupCount: integer('group_count').notNull().default(0),
    /** The sum of the groups' member counts. */
    membershipCount: integer('membership_count').notNull().default(0),
    /**
     * The bytes of the tenant's provisioning log, except those still in `provisioning_activity`. Code that deletes
     * entries subtracts their bytes; a trigger deletes the oldest entries beyond the limit.
     */
    logBytes: integer('log_bytes').notNull().default(0),
    /** The sums of the blocks of its users and of its groups: see `blocks`. */
    userBlocks: integer('user_blocks').notNull().default(0),
    groupBlocks: integer('group_blocks').notNull().default(0),
    createdAt: integer('created_at').notNull(),
    /**
     * Clients have access while it is "ready", and can read while it is "moving". In a database that is not the
     * tenant's home, the row is "arriving" (an incomplete copy) or "moved" (a copy that is being deleted).
     */
    state: text('state', {
      enum: ['ready', 'importing', 'undoing', 'deleting', 'moving', 'arriving', 'moved'],
    })
      .notNull()
      .default('ready'),
    /** The number of imported lines of the file, while it is "importing". */
    importedLines: integer('imported_lines'),
    /** The state of the SHA-256 over those lines: src/storage/transfer/running-sha256.ts. */
    importDigest: text('import_digest'),
    /** The job that moves the tenant, while it is "moving", "arriving" or "moved". No other job may change the row. */
    moveJobId: text('move_job_id'),
    /** JSON: the table and the key of the last row that was copied, while it is "arriving". */
    copiedUntil: text('copied_until'),
    /** JSON: `TenantConfiguration` in src/storage/tenants/context.ts. NULL is the default configuration. */
    configuration: text('configuration'),
    /** Derived: identifies the configuration; 0 is the default configuration. */
    version: integer('version').notNull().default(0),
  },
  // A partial index, so that a query finds the few tenants on the move without a scan.
  (table) => [index('tenants_on_the_move').on(table.id).where(sql`state IN ('moving', 'arriving', 'moved')`)],
)

/**
 * The database of a tenant that does not live in this one. In the first database this is the catalogue: a tenant
 * without a row lives in the first database itself. In any other database a row is the forwarding address of a move.
 * It may be out of date, so readers ask the catalogue. Requests of the administrator and jobs write it.
 */
export const tenantLocations = sqliteTable('tenant_locations', {
  tenantId: text('tenant_id').primaryKey(),
  /** The name of the binding, such as "DB2". */
  database: text('database').notNull(),
})

/**
 * Work on a tenant that takes more than one request. Only the first database has rows. A job runner writes them; the
 * cron trigger deletes each 30 days after its end. `done` and `total` count rows and show the progress.
 */
export const jobs = sqliteTable(
  'jobs',
  {
    id: text('id').primaryKey(),
    tenantId: text('tenant_id').notNull(),
    kind: text('kind', { enum: ['move', 'delete', 'undo-import'] }).notNull(),
    state: text('state', { enum: ['running', 'done', 'failed'] }).notNull(),
    /** The next step: see src/provider/jobs/. */
    step: text('step').notNull(),
    /** The databases that the tenant moves from and to, by name. */
    source: text('source').notNull(),
    target: text('target'),
    /** JSON: the position within the step. */
    position: text('position'),
    done: integer('done').notNull().default(0),
    total: integer('total').notNull().default(0),
    /** The number of consecutive failed attempts of the step. */
    attempts: integer('attempts').notNull().default(0),
    /** The reason for the failure, or for that of the last attempt. */
    error: text('error'),
    createdAt: integer('created_at').notNull(),
    finishedAt: integer('finished_at'),
  },
  (table) => [
    index('jobs_by_tenant').on(table.tenantId, table.id),
    // A tenant has one job at a time: if two begin at the same moment, the second is refused.
    uniqueIndex('jobs_running').on(table.tenantId).where(sql`state = 'running'`),
  ],
)

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

/** A column that is derived from the comparison document: see src/scim/comparison.ts. */
const key = (path: string): SQL => sql.raw(`json_extract("keys", '${path}')`)

/** A text or a number, compared without conversion. */
const anyKey = customType<{ data: string | number }>({ dataType: () => 'any' })

/**
 * Columns for the indexed attributes of tenants. The configuration of a tenant maps attributes to these columns, so
 * an index needs no migration. They are NULL for all other tenants.
 */
const indexedKeys = () => ({
  x1: anyKey('x1').generatedAlwaysAs(key('$.x1'), { mode: 'virtual' }),
  x2: anyKey('x2').generatedAlwaysAs(key('$.x2'), { mode: 'virtual' }),
  x3: anyKey('x3').generatedAlwaysAs(key('$.x3'), { mode: 'virtual' }),
  x4: anyKey('x4').generatedAlwaysAs(key('$.x4'), { mode: 'virtual' }),
  x5: anyKey('x5').generatedAlwaysAs(key('$.x5'), { mode: 'virtual' }),
})

/**
 * The size of a row as the cost of scanning it: whole blocks of 4 KiB of its documents, in which each object from the
 * ninth on counts 256 extra bytes. An ordinary row has 0 blocks.
 */
const blocks = (): SQL =>
  sql.raw(
    `(octet_length("data") + octet_length("keys") + 256 * max(octet_length("keys") - octet_length(replace("keys", '{', '')) - 8, 0)) / 4096`,
  )

/**
 * A User resource. `data` is the resource that the client sent, in canonical form, without id, meta and groups;
 * `keys` is its comparison document. The other columns are derived from `keys`, for the indexes. A client deletes it.
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
    ...indexedKeys(),
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
    // With the id, so that a list in this order is sorted without reading the rows.
    index('users_by_modified').on(table.tenantId, table.lastModified, table.id),
    // With the id, so that rows with the same value are sorted without reading them.
    index('users_by_x1').on(table.tenantId, table.x1, table.id).where(sql`x1 IS NOT NULL`),
    index('users_by_x2').on(table.tenantId, table.x2, table.id).where(sql`x2 IS NOT NULL`),
    index('users_by_x3').on(table.tenantId, table.x3, table.id).where(sql`x3 IS NOT NULL`),
    index('users_by_x4').on(table.tenantId, table.x4, table.id).where(sql`x4 IS NOT NULL`),
    index('users_by_x5').on(table.tenantId, table.x5, table.id).where(sql`x5 IS NOT NULL`),
    // Tells whether a page may have to be cut: see page-size.ts.
    index('users_by_size').on(table.tenantId, sql`octet_length(data)`).where(sql`octet_length(data) > 4096`),
  ],
)

/** A Group resource, structured like `users`. Its members are rows of `memberships`. A client deletes it. */
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
    /** Derived: the number of rows of the group in `memberships`. */
    memberCount: integer('member_count').notNull().default(0),
    displayNameKey: text('display_name_key').generatedAlwaysAs(key('$.displayName'), { mode: 'virtual' }),
    externalId: text('external_id').generatedAlwaysAs(key('$.externalId'), { mode: 'virtual' }),
    nativeObjectIdKey: text('native_object_id_key').generatedAlwaysAs(
      key(`$."${CISCO_UMBRELLA_GROUP_SCHEMA}".nativeObjectId`),
      { mode: 'virtual' },
    ),
    blocks: integer('blocks').generatedAlwaysAs(blocks(), { mode: 'virtual' }),
    ...indexedKeys(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    // With the id, so that a list by name needs no sort.
    index('groups_by_name').on(table.tenantId, table.displayNameKey, table.id),
    index('groups_by_external_id').on(table.tenantId, table.externalId).where(sql`external_id IS NOT NULL`),
    index('groups_by_native_object_id')
      .on(table.tenantId, table.nativeObjectIdKey)
      .where(sql`native_object_id_key IS NOT NULL`),
    index('groups_by_x1').on(table.tenantId, table.x1, table.id).where(sql`x1 IS NOT NULL`),
    index('groups_by_x2').on(table.tenantId, table.x2, table.id).where(sql`x2 IS NOT NULL`),
    index('groups_by_x3').on(table.tenantId, table.x3, table.id).where(sql`x3 IS NOT NULL`),
    index('groups_by_x4').on(table.tenantId, table.x4, table.id).where(sql`x4 IS NOT NULL`),
    index('groups_by_x5').on(table.tenantId, table.x5, table.id).where(sql`x5 IS NOT NULL`),
    index('groups_by_size').on(table.tenantId, sql`octet_length(data)`).where(sql`octet_length(data) > 1024`),
  ],
)

/**
 * Pending work on stored resources after a change of the tenant's extension schemas. A request of the administrator
 * or the cron trigger does it in chunks, and deletes the row at the end. A trigger deletes it with its tenant.
 */
export const extensionTasks = sqliteTable(
  'extension_tasks',
  {
    tenantId: text('tenant_id').notNull(),
    resourceType: text('resource_type').notNull(),
    /** "index" fills the column of an index; "purge" deletes the stored values of an extension. */
    kind: text('kind', { enum: ['index', 'purge'] }).notNull(),
    /** JSON: the URN of the extension; for an index, also the name of the attribute. */
    path: text('path').notNull(),
    /** The column of an index; NULL for a purge. */
    slot: integer('slot'),
    /** The id of the last processed resource. */
    position: text('position').notNull().default(''),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.kind, table.path] })],
)

/**
 * One member of one group. Triggers delete it with its group or its member, and refuse a row whose group or member
 * does not exist. The index leads from a member to its groups.
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

/** Ids, indexes and other columns take about 512 bytes. */
const LOG_ENTRY_BYTES = sql.raw(
  `512 + ${['resource_id', 'resource_name', 'detail', 'changes', 'ignored', 'request_id']
    .map((column) => `length(CAST(coalesce(${column}, '') AS BLOB))`)
    .join(' + ')}`,
)

/**
 * The provisioning log: a write that an authenticated client tried, or access that failed. `id` is a UUIDv7, so the
 * order of ids is the order of time. It holds no value of an attribute that is never returned. The cron trigger
 * prunes it, and a database trigger prunes it when the tenant exceeds MAX_LOG_BYTES.
 */
export const provisioningLog = sqliteTable(
  'provisioning_log',
  {
    tenantId: text('tenant_id').notNull(),
    id: text('id').notNull(),
    time: integer('time').notNull(),
    tokenId: text('token_id').notNull(),
    /** "authenticate" stands for access that failed. */
    action: text('action', {
      enum: [
        'create',
        'update',
        'disable',
        'enable',
        'delete',
        'add member',
        'remove member',
        'authenticate',
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
 * A session of the dashboard that its administrator ended. Sessions are signed cookies; a row here invalidates copies
 * of the cookie. The cron trigger deletes it long after the session would have expired.
 */
export const endedSessions = sqliteTable('ended_sessions', {
  id: text('id').primaryKey(),
  expiresAt: integer('expires_at').notNull(),
})

/**
 * One row, with id 1: the highest time that retention trusts. Retention counts ages from this time, so a clock that
 * is ahead deletes little. The cron trigger writes it.
 */
export const retentionClock = sqliteTable('retention_clock', {
  id: integer('id').primaryKey(),
  time: integer('time').notNull(),
})
