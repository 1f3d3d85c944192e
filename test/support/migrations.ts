/**
 * The files of migrations/ in order, for databases in Node.js.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Migration } from '../../src/sqlite/migrations.ts'

const FOLDER = resolve(import.meta.dirname, '..', '..', 'migrations')

export const MIGRATIONS: readonly Migration[] = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.sql'))
  .sort()
  .map((name) => ({ name, sql: readFileSync(join(FOLDER, name), 'utf8') }))
