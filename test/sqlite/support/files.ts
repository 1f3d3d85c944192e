/**
 * Folders and databases for tests in Node.js.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll } from 'vitest'
import type { Migration } from '../../../src/sqlite/migrations.ts'

const FOLDER = resolve(import.meta.dirname, '..', '..', '..', 'migrations')

/** The files of migrations/, in order. */
export const MIGRATIONS: readonly Migration[] = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.sql'))
  .sort()
  .map((name) => ({ name, sql: readFileSync(join(FOLDER, name), 'utf8') }))

export const OPTIONS = { synchronous: 'FULL', busyTimeoutMs: 200 } as const

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A new folder, which goes with the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'scim-sqlite-'))
  folders.push(folder)
  return folder
}
