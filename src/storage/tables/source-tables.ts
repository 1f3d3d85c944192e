/** The tables of sources: conflicts between clients that write the same directory, and what the sweep has counted. */
import { sql } from 'drizzle-orm'
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/**
 * A conflict between two sources, or between two resources of one identity. A conflict that is seen again counts up in its
 * row. The first side is the resource that was there, with the client that it is of; the other side is the write that met
 * it. A trigger stores the event when a conflict opens. The sweep resolves it when its reason is gone; an administrator
 * may dismiss it.
 */
export const sourceConflicts = sqliteTable(
  'source_conflicts',
  {
    tenantId: text('tenant_id').notNull(),
    kind: text('kind', {
      enum: ['uniqueness', 'externalId', 'nativeObjectId', 'email', 'groupName', 'attribute', 'membership'],
    }).notNull(),
    /** Identifies the conflict within its kind: see src/storage/sources/. */
    key: text('key').notNull(),
    /** The name of the type of both resources. */
    resourceType: text('resource_type').notNull(),
    /** The attribute in question. */
    attribute: text('attribute').notNull(),
    /** The value that both sides have, in comparison form, or the member; NULL for an attribute that turns. */
    value: text('value'),
    resourceId: text('resource_id').notNull(),
    /** NULL is an administrator, an import, or unknown. */
    clientId: text('client_id'),
    /** When the first side wrote its resource last, and by which request; NULL if the log does not have it any more. */
    time: integer('time').notNull(),
    requestId: text('request_id'),
    /** NULL if the write was refused, so that there is no second resource. */
    otherResourceId: text('other_resource_id'),
    otherClientId: text('other_client_id'),
    otherRequestId: text('other_request_id'),
    firstSeenAt: integer('first_seen_at').notNull(),
    lastSeenAt: integer('last_seen_at').notNull(),
    seen: integer('seen').notNull().default(1),
    state: text('state', { enum: ['open', 'resolved', 'dismissed'] })
      .notNull()
      .default('open'),
    /** When it was resolved or dismissed; NULL while it is open. */
    closedAt: integer('closed_at'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.kind, table.key] }),
    index('source_conflicts_open').on(table.tenantId, table.firstSeenAt).where(sql`state = 'open'`),
    index('source_conflicts_closed').on(table.closedAt).where(sql`closed_at IS NOT NULL`),
  ],
)

/** How far the sweep of a tenant has got, and what the last complete one has counted. */
export const sourceSweeps = sqliteTable('source_sweeps', {
  tenantId: text('tenant_id').primaryKey(),
  /** JSON: where the sweep goes on; NULL when it is complete. */
  position: text('position'),
  /** JSON: the counts so far. */
  counting: text('counting'),
  /** JSON: the counts of the last complete sweep, by client. */
  counts: text('counts'),
  /** When the last complete sweep ended. */
  countedAt: integer('counted_at'),
  /** 1 while `resource_sources` may lack resources of an earlier version: until a sweep is complete, which adds them. */
  unlisted: integer('unlisted').notNull().default(0),
})

/**
 * The primary e-mail address of each user in comparison form, by which the sweep finds two users that share one. It may be
 * out of date, so a match counts only if both users still have the address.
 */
export const sourceEmails = sqliteTable(
  'source_emails',
  {
    tenantId: text('tenant_id').notNull(),
    email: text('email').notNull(),
    userId: text('user_id').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.email, table.userId] })],
)
