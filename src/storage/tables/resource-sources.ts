/**
 * The users and groups of each client: those that it created or wrote last, by the columns of the resource. The dashboard lists
 * them. Triggers keep the rows (migrations/0034_resource_sources.sql). A resource has one row, and two if another client wrote it
 * last; one without a source has none. A change by the client that wrote the resource last writes no row.
 */
import { primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'

export const resourceSources = sqliteTable(
  'resource_sources',
  {
    tenantId: text('tenant_id').notNull(),
    clientId: text('client_id').notNull(),
    resourceType: text('resource_type').notNull(),
    resourceId: text('resource_id').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.clientId, table.resourceType, table.resourceId] }),
  ],
)
