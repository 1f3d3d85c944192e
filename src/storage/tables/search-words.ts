/**
 * The words by which the dashboard finds users and groups. A word has no row if a value with an index of its own begins with
 * it, so an ordinary user has one row: the domain of the e-mail address. The comparison document has the words of its resource
 * (words.ts). Triggers keep the rows (migrations/0030_search_words.sql); no other code writes them.
 */
import { sql } from 'drizzle-orm'
import { index, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'

export const searchWords = sqliteTable(
  'search_words',
  {
    tenantId: text('tenant_id').notNull(),
    resourceType: text('resource_type').notNull(),
    /** In comparison form. Empty if an earlier version has stored the resource without its words: they are filled in later. */
    word: text('word').notNull(),
    resourceId: text('resource_id').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.resourceType, table.word, table.resourceId] }),
    index('search_words_missing').on(table.tenantId).where(sql`word = ''`),
  ],
)
