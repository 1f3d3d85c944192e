/**
 * All tables. `npm run migrations:generate` derives migrations/ from them. STRICT, WITHOUT ROWID and triggers are
 * added to the migrations by hand, because drizzle cannot express them. A test compares the two. All times are
 * milliseconds since 1970-01-01 UTC.
 */
export * from './access-tables.ts'
export * from './administrator-tables.ts'
export * from './directory-tables.ts'
export * from './event-tables.ts'
export * from './guard-tables.ts'
export * from './log-tables.ts'
export { resourceSources } from './resource-sources.ts'
export { searchWords } from './search-words.ts'
export * from './source-tables.ts'
export * from './tenant-tables.ts'
export * from './tombstone-tables.ts'
export { userValues } from './user-values.ts'
export * from './webhook-tables.ts'
