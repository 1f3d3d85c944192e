/** The table of webhooks. */
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/**
 * A receiver of a tenant's events, and how far it has got. The administrator creates and deletes it. Only the sender
 * changes the state of its delivery, in one statement for each run, so a run costs one written row.
 */
export const webhooks = sqliteTable(
  'webhooks',
  {
    id: text('id').primaryKey(),
    tenantId: text('tenant_id').notNull(),
    /** May be secret: some receivers put a credential in it. */
    url: text('url').notNull(),
    /** JSON: the wanted types of events; NULL for all. */
    types: text('types'),
    /** JSON: `WebhookSecret[]`, oldest first. Secret, and stored as they are, because each delivery is signed with them. */
    secrets: text('secrets').notNull(),
    state: text('state', { enum: ['active', 'disabled'] })
      .notNull()
      .default('active'),
    /** Why the sender disabled it; NULL if it is active, or an administrator did. */
    disabledReason: text('disabled_reason'),
    createdAt: integer('created_at').notNull(),
    /** The number of the last event that was delivered, or passed because of its type. */
    seq: integer('seq').notNull(),
    /** Rises with each change of the delivery, so that of two runs only the first is stored. */
    revision: integer('revision').notNull().default(0),
    /** The number of consecutive failed attempts of the next event. */
    attempts: integer('attempts').notNull().default(0),
    failingSince: integer('failing_since'),
    /** Not before this time; NULL if nothing has failed. */
    nextAttemptAt: integer('next_attempt_at'),
    lastAttemptAt: integer('last_attempt_at'),
    lastSuccessAt: integer('last_success_at'),
    /** The reason for the latest failure; NULL after a success. */
    lastError: text('last_error'),
    /** JSON: the newest MAX_SHOWN_DELIVERIES, newest first. In the row, because another row would double the cost of a run. */
    deliveries: text('deliveries').notNull().default('[]'),
  },
  (table) => [index('webhooks_by_tenant').on(table.tenantId, table.id)],
)
