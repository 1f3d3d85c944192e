/**
 * The words by which the dashboard finds users and groups. A word has no row if a value with an index of its own begins with
 * it, so an ordinary user has one row: the domain of the e-mail address. Triggers keep the rows
 * (migrations/0030_search_words.sql); no other code writes them.
 */
import { primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'

export const searchWords = sqliteTable(
  'search_words',
  {
    tenantId: text('tenant_id').notNull(),
    resourceType: text('resource_type').notNull(),
    /** In comparison form, at most MAX_WORD_CHARACTERS of words.ts. */
    word: text('word').notNull(),
    resourceId: text('resource_id').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.resourceType, table.word, table.resourceId] })],
)
