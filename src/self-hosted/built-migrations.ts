/** The files of migrations/. The build inlines them, so that a server needs no other file. */
import type { Migration } from '../sqlite/migrations.ts'

declare const MIGRATIONS: readonly Migration[]

export function builtMigrations(): readonly Migration[] {
  return MIGRATIONS
}
