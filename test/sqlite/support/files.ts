/**
 * Folders and databases for tests in Node.js.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

export { MIGRATIONS } from '../../support/migrations.ts'

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
