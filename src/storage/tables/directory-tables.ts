/** The tables of the directory: resources, memberships, and pending work on them. */
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
import { IS_NESTED, NESTED_MEMBER, USER_MEMBER } from './member-types.ts'
import { tenants } from './tenant-tables.ts'

/** A column that is derived from the comparison document: see src/scim/comparison.ts. */
const key = (path: string): SQL => sql.raw(`json_extract("keys", '${path}')`)

/** A text or a number, compared without conversion. */
const anyKey = customType<{ data: string | number }>({ dataType: () => 'any' })

/**
 * The sources of a resource: the clients that created it and that wrote it last. NULL is an administrator, an import, or
 * a version without these columns.
 */
const sources = () => ({ createdBy: text('created_by'), modifiedBy: text('modified_by') })

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
 * `keys` is its comparison document, with keys of its own for indexes (`x1`) and for the words of the search
 * (words.ts). The other columns are derived from it, for the indexes. A client deletes it.
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
    ...sources(),
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
    ...sources(),
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
 * One member of one group. Triggers delete it with its member or its group, and refuse a row whose group or member
 * does not exist. Users may stay members of a deleted group for a while: see `deletedGroups`. The index leads from a
 * member to its groups.
 */
export const memberships = sqliteTable(
  'memberships',
  {
    tenantId: text('tenant_id').notNull(),
    groupId: text('group_id').notNull(),
    memberId: text('member_id').notNull(),
    memberType: text('member_type', { enum: [USER_MEMBER, NESTED_MEMBER] }).notNull(),
    /** The client that added it; NULL as in `sources`. */
    addedBy: text('added_by'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.groupId, table.memberId] }),
    index('memberships_by_member').on(table.tenantId, table.memberId, table.groupId),
    // Tells whether a tenant has nested groups at all.
    index('memberships_nested').on(table.tenantId).where(sql.raw(IS_NESTED)),
  ],
)

/**
 * Large groups that were deleted, while memberships of them are left: users only, since a trigger deletes the others
 * together with the group. A trigger on `groups` adds the row, and background work deletes it after the last membership.
 */
export const deletedGroups = sqliteTable(
  'deleted_groups',
  {
    tenantId: text('tenant_id').notNull(),
    id: text('id').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.id] })],
)
