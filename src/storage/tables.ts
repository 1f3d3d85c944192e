/**
 * All tables. `npm run migrations:generate` makes migrations/ from this file; STRICT, WITHOUT ROWID and
 * triggers are written into the migrations by hand, because drizzle has no words for them. A test
 * compares the two. All times are milliseconds since 1970-01-01 UTC.
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
import { CISCO_UMBRELLA_GROUP_SCHEMA, CISCO_UMBRELLA_USER_SCHEMA } from '../scim/urn.ts'

/**
 * One organisation's directory. The administrator makes and deletes it. The counts are derived, kept by
 * triggers, so that nothing has to count rows.
 */
export const tenants = sqliteTable(
  'tenants',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    groupLimit: integer('group_limit').notNull().default(200),
    /** Whether no two groups share a displayName, in comparison form: triggers on `groups` hold it. */
    uniqueGroupNames: integer('unique_group_names', { mode: 'boolean' }).notNull().default(true),
    userCount: integer('user_count').notNull().default(0),
    activeUserCount: integer('active_user_count').notNull().default(0),
    groupCount: integer('group_count').notNull().default(0),
    /** The sum of the groups' member counts. */
    membershipCount: integer('membership_count').notNull().default(0),
    /**
     * The bytes of the tenant's provisioning log, but for what is in `provisioning_activity` still. Who deletes entries
     * takes theirs off; a trigger deletes the oldest when there are too many.
     */
    logBytes: integer('log_bytes').notNull().default(0),
    /** The sums of the blocks of its users and of its groups: see `blocks`. */
    userBlocks: integer('user_blocks').notNull().default(0),
    groupBlocks: integer('group_blocks').notNull().default(0),
    createdAt: integer('created_at').notNull(),
    /**
     * Clients are let in when it is "ready", and may read when it is "moving". The row of a database that is not the
     * tenant's home is "arriving" (a copy that is not complete yet) or "moved" (one that is being deleted).
     */
    state: text('state', {
      enum: ['ready', 'importing', 'undoing', 'deleting', 'moving', 'arriving', 'moved'],
    })
      .notNull()
      .default('ready'),
    /** Lines of the file that are in, while it is "importing". */
    importedLines: integer('imported_lines'),
    /** The state of the SHA-256 over those lines: src/storage/running-sha256.ts. */
    importDigest: text('import_digest'),
    /** The job that moves the tenant, while it is "moving", "arriving" or "moved". No other job may change the row. */
    moveJobId: text('move_job_id'),
    /** JSON: the table and the key of the row that was copied last, while it is "arriving". */
    copiedUntil: text('copied_until'),
    /** JSON: see `TenantConfiguration` in tenant-context.ts. NULL is the default one. */
    configuration: text('configuration'),
    /** Derived: names the configuration, 0 the default one. */
    version: integer('version').notNull().default(0),
  },
  // Few or none: so that nobody has to look through all tenants for them.
  (table) => [index('tenants_on_the_move').on(table.id).where(sql`state IN ('moving', 'arriving', 'moved')`)],
)

/**
 * Where a tenant lives that does not live in this database. In the first database this is the catalogue: a tenant
 * without a row lives in the first database itself. In any other database a row is the forwarding address that a move
 * left behind; it may be out of date, so the catalogue is asked. The administrator's requests and jobs write it.
 */
export const tenantLocations = sqliteTable('tenant_locations', {
  tenantId: text('tenant_id').primaryKey(),
  /** The name of the binding, such as "DB2". */
  database: text('database').notNull(),
})

/**
 * Work on a tenant that takes more than one request: only the first database has rows. A job runner writes it; the cron
 * trigger deletes it 30 days after its end. `done` and `total` count rows, for the administrator's eyes.
 */
export const jobs = sqliteTable(
  'jobs',
  {
    id: text('id').primaryKey(),
    tenantId: text('tenant_id').notNull(),
    kind: text('kind', { enum: ['move', 'delete', 'undo-import'] }).notNull(),
    state: text('state', { enum: ['running', 'done', 'failed'] }).notNull(),
    /** The step that is next: see src/provider/jobs/. */
    step: text('step').notNull(),
    /** Where the tenant lives, and where it moves to: names of databases. */
    source: text('source').notNull(),
    target: text('target'),
    /** JSON: how far the step has come. */
    position: text('position'),
    done: integer('done').notNull().default(0),
    total: integer('total').notNull().default(0),
    /** Attempts of the step that failed one after the other. */
    attempts: integer('attempts').notNull().default(0),
    /** Why it failed, or what the last attempt failed with. */
    error: text('error'),
    createdAt: integer('created_at').notNull(),
    finishedAt: integer('finished_at'),
  },
  (table) => [
    index('jobs_by_tenant').on(table.tenantId, table.id),
    // One job at a time: the second of two that begin at the same moment is refused.
    uniqueIndex('jobs_running').on(table.tenantId).where(sql`state = 'running'`),
  ],
)

/**
 * A client of a tenant: the actor whom the provisioning log names, whatever it signs in with. One that the administrator
 * deletes stays until the log no longer names it, without a valid token.
 */
export const clients = sqliteTable(
  'clients',
  {
    /** `<tenantId>_<random>`. */
    id: text('id').primaryKey(),
    tenantId: text('tenant_id').notNull(),
    name: text('name').notNull(),
    /** What its tokens may do: they have the same scope. */
    scope: text('scope', { enum: ['provision', 'read'] }).notNull(),
    /** Seals its cursors. */
    cursorKey: text('cursor_key').notNull().default(sql`(lower(hex(randomblob(16))))`),
    createdAt: integer('created_at').notNull(),
    /** The latest use of tokens that are gone. */
    lastUsedAt: integer('last_used_at'),
    deletedAt: integer('deleted_at'),
  },
  (table) => [
    index('clients_by_tenant').on(table.tenantId, table.createdAt, table.id),
    index('clients_deleted').on(table.deletedAt).where(sql`deleted_at IS NOT NULL`),
  ],
)

/**
 * A bearer token of a client. Only its SHA-256 is here. Revoked and expired tokens stay as long as the provisioning log
 * names them; they go with their tenant.
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
    /** Derived: the state of its tenant. */
    tenantState: text('tenant_state').notNull().default('ready'),
    /** Derived: the version of the configuration of its tenant. */
    tenantVersion: integer('tenant_version').notNull().default(0),
    /** A trigger makes a client for a token that names none, so that it is NULL in no row. */
    clientId: text('client_id'),
    /** Derived: that of its client. */
    cursorKey: text('cursor_key'),
  },
  (table) => [
    uniqueIndex('tokens_by_hash').on(table.hash),
    index('tokens_by_tenant').on(table.tenantId, table.id),
    index('tokens_revoked').on(table.revokedAt).where(sql`revoked_at IS NOT NULL`),
    index('tokens_expiring').on(table.expiresAt).where(sql`expires_at IS NOT NULL`),
  ],
)

/** A column that follows from the comparison document: see src/scim/comparison.ts. */
const key = (path: string): SQL => sql.raw(`json_extract("keys", '${path}')`)

/** A text or a number, compared as it is. */
const anyKey = customType<{ data: string | number }>({ dataType: () => 'any' })

/**
 * Columns for the attributes that a tenant has indexed: which attribute a column stands for is in the configuration of
 * the tenant, so that an index needs no migration. Empty for all others.
 */
const indexedKeys = () => ({
  x1: anyKey('x1').generatedAlwaysAs(key('$.x1'), { mode: 'virtual' }),
  x2: anyKey('x2').generatedAlwaysAs(key('$.x2'), { mode: 'virtual' }),
  x3: anyKey('x3').generatedAlwaysAs(key('$.x3'), { mode: 'virtual' }),
  x4: anyKey('x4').generatedAlwaysAs(key('$.x4'), { mode: 'virtual' }),
  x5: anyKey('x5').generatedAlwaysAs(key('$.x5'), { mode: 'virtual' }),
})

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
    // With the id, so that a list in this order is in order without reading the rows.
    index('users_by_modified').on(table.tenantId, table.lastModified, table.id),
    // With the id, so that what many have in common is put in order without reading them.
    index('users_by_x1').on(table.tenantId, table.x1, table.id).where(sql`x1 IS NOT NULL`),
    index('users_by_x2').on(table.tenantId, table.x2, table.id).where(sql`x2 IS NOT NULL`),
    index('users_by_x3').on(table.tenantId, table.x3, table.id).where(sql`x3 IS NOT NULL`),
    index('users_by_x4').on(table.tenantId, table.x4, table.id).where(sql`x4 IS NOT NULL`),
    index('users_by_x5').on(table.tenantId, table.x5, table.id).where(sql`x5 IS NOT NULL`),
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
    ...indexedKeys(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    // With the id, so that a list by name is in order without sorting.
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
 * Work on the stored resources of a tenant that a change of its extension schemas has left, done in chunks by whoever
 * comes next: a request of the administrator or the cron trigger, which delete the row when all is done. It goes with
 * its tenant, by a trigger.
 */
export const extensionTasks = sqliteTable(
  'extension_tasks',
  {
    tenantId: text('tenant_id').notNull(),
    resourceType: text('resource_type').notNull(),
    /** To take an attribute into an index, or to delete what is stored of an extension. */
    kind: text('kind', { enum: ['index', 'purge'] }).notNull(),
    /** JSON: the URN of the extension, and of an index the name of the attribute. */
    path: text('path').notNull(),
    /** Of an index. */
    slot: integer('slot'),
    /** The id of the last resource that is done. */
    position: text('position').notNull().default(''),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.kind, table.path] })],
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

/** What is not counted one by one, such as ids and indexes, has some 512 bytes. */
const LOG_ENTRY_BYTES = sql.raw(
  `512 + ${['resource_id', 'resource_name', 'detail', 'changes', 'ignored', 'request_id']
    .map((column) => `length(CAST(coalesce(${column}, '') AS BLOB))`)
    .join(' + ')}`,
)

/**
 * One write that an authenticated client tried, or access that failed: the provisioning log. `id` is a UUIDv7, so ids are in the
 * order of time. Holds no value of an attribute that is never returned. Pruned by the cron trigger, and by a
 * trigger of the database when the tenant has MAX_LOG_BYTES of it.
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
    /** Refused writes like this one, in the same minute, that have no entry of their own. */
    repeated: integer('repeated').notNull().default(0),
    /** Of refused writes and of failed access: those of one key share an entry. */
    foldKey: text('fold_key'),
    /** NULL in entries of older versions, whose client is that of their token, and where nobody knows who it was. */
    clientId: text('client_id'),
    /** About what the entry takes, its indexes included. */
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
    /** Those that share an entry of the log included. */
    refused: integer('refused').notNull(),
    /** Bytes of entries that are not in `log_bytes` of the tenant yet. */
    logBytes: integer('log_bytes').notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.hour] })],
)

/**
 * What the clients of a tenant did in one day (UTC), without the hours of `provisioning_activity`.
 * Outlives the pruned log; triggers delete it when 33 newer ones are there, and with its tenant.
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
 * makes a copy of the cookie worthless. The cron trigger deletes it long after the session would have expired by
 * itself.
 */
export const endedSessions = sqliteTable('ended_sessions', {
  id: text('id').primaryKey(),
  expiresAt: integer('expires_at').notNull(),
})

/**
 * One row, of id 1: the highest time that retention has believed. What is deleted for its age is as old as that, so a
 * clock that is ahead deletes little. The cron trigger writes it.
 */
export const retentionClock = sqliteTable('retention_clock', {
  id: integer('id').primaryKey(),
  time: integer('time').notNull(),
})
