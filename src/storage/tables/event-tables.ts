/** The table of the event feed, which is also the history of each resource. */
import { sql } from 'drizzle-orm'
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'

const MEMBER_TYPES = "type IN ('group.members_added', 'group.members_removed')"

/**
 * The outbox: an event for each change of the directory, in the transaction of the change. `seq` is the order of the
 * commits of a tenant, without gaps, because a database has one writer. The oldest events are deleted: by the cron
 * trigger after the retention time, and by a trigger when the tenant exceeds MAX_EVENT_BYTES. The newest one is kept, so
 * no number is used twice.
 */
export const events = sqliteTable(
  'events',
  {
    tenantId: text('tenant_id').notNull(),
    seq: integer('seq').notNull(),
    /** Such as "user.created". */
    type: text('type').notNull(),
    time: integer('time').notNull(),
    /** The client that made the change; NULL for an administrator. */
    clientId: text('client_id'),
    requestId: text('request_id'),
    /** NULL if the event is about the whole tenant. */
    resourceId: text('resource_id'),
    /** JSON. Members are listed by id only: readers of the feed look up the rest. */
    data: text('data').notNull(),
    /**
     * JSON: the values that the changed attributes had before, and null for those that had none; for the history only.
     * NULL if the event changes no attributes, or if the values are too large: see MAX_PREVIOUS_BYTES. It holds no value
     * of an attribute that is never returned.
     */
    previous: text('previous'),
    /** Derived: the bytes of the two documents of this event and of all before it. So no write updates a counter. */
    totalBytes: integer('total_bytes').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.seq] }),
    // The history of a resource. The name of a member that is deleted by now is in the event of its deletion.
    index('events_by_resource')
      .on(table.tenantId, table.resourceId, table.seq)
      .where(sql`resource_id IS NOT NULL`),
    // The groups that a resource joined and left. Most of these events name one member, whom an index finds.
    index('events_of_member')
      .on(table.tenantId, sql`data ->> '$.members[0]'`, table.seq)
      .where(sql.raw(`${MEMBER_TYPES} AND data ->> '$.members[1]' IS NULL`)),
    // Those with several members are looked at one after the other: a row for each member would write too many.
    index('events_of_members')
      .on(table.tenantId, table.seq)
      .where(sql.raw(`${MEMBER_TYPES} AND data ->> '$.members[1]' IS NOT NULL`)),
    // There are few.
    index('events_of_tenant').on(table.tenantId, table.type, table.seq).where(sql`resource_id IS NULL`),
  ],
)
