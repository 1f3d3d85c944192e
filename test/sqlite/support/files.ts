/**
 * Folders and databases for tests in Node.js.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export { MIGRATIONS } from '../../support/migrations.ts'

export const OPTIONS = { synchronous: 'FULL', busyTimeoutMs: 200 } as const

const folders: string[] = []

/** Deletes the folders that exist so far. */
export function removeTemporaryFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
}

/** A new folder, which is deleted after the tests of the file (remove-folders.ts). */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'scim-sqlite-'))
  folders.push(folder)
  return folder
}
