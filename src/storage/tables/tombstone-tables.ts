/** The tables of deleted resources. */
import { integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

/**
 * A resource that a client deleted, as it was, so that an administrator can restore it. Clients do not see it. It is
 * deleted when it is restored or purged, by the cron trigger after TOMBSTONE_DAYS, and by a trigger when the tenant
 * exceeds MAX_TOMBSTONE_BYTES. A trigger then deletes its memberships.
 */
export const tombstones = sqliteTable(
  'tombstones',
  {
    tenantId: text('tenant_id').notNull(),
    id: text('id').notNull(),
    /** The number of the event of the deletion: the order of deletions. */
    seq: integer('seq').notNull(),
    resourceType: text('resource_type').notNull(),
    name: text('name'),
    /** JSON: the resource without its memberships. */
    data: text('data').notNull(),
    /** The last version that clients saw. */
    version: integer('version').notNull(),
    createdAt: integer('created_at').notNull(),
    lastModified: integer('last_modified').notNull(),
    deletedAt: integer('deleted_at').notNull(),
    /** Who deleted it, and with which request. */
    clientId: text('client_id'),
    /** Its source: the client that created it. NULL is an import, or unknown. */
    createdBy: text('created_by'),
    requestId: text('request_id').notNull(),
    /** The number of its members when it was deleted. */
    memberCount: integer('member_count').notNull(),
    /** Derived: the bytes of this tombstone and of those before it that were kept when it was made. */
    totalBytes: integer('total_bytes').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    uniqueIndex('tombstones_by_seq').on(table.tenantId, table.seq),
  ],
)

/**
 * Memberships of a deleted resource: up to TOMBSTONE_IDS ids in a row. Those of a large group are moved here in the
 * background: see src/storage/resources/deleted-groups.ts.
 */
export const tombstoneMemberships = sqliteTable(
  'tombstone_memberships',
  {
    tenantId: text('tenant_id').notNull(),
    id: text('id').notNull(),
    /** "members" are those of a deleted group, "groups" are the groups that the resource was a direct member of. */
    kind: text('kind', { enum: ['members', 'groups'] }).notNull(),
    /** The smallest of the ids. */
    first: text('first').notNull(),
    /** JSON: the ids. */
    ids: text('ids').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.id, table.kind, table.first] })],
)
