/**
 * The databases of a data folder: checks all of them before anything is changed, opens them, and applies their migrations.
 */
import { SqliteD1 } from '../sqlite/d1.ts'
import { DatabaseThreads } from '../sqlite/database-threads.ts'
import { type Migration, migrate, requireUsable } from '../sqlite/migrations.ts'
import { databaseFile, type OpenFile, openFile, startError } from '../sqlite/open.ts'
import { RememberedResults } from '../sqlite/remembered-results.ts'
import { SOURCES_OF_TOKENS } from '../storage/access/token-conditions.ts'
import { SOURCES_OF_USERS } from '../storage/resources/memberships.ts'
import { type ServerSettings, storeNewAdminToken } from './settings.ts'
import type { Turns } from './turns.ts'

/** A database: its file, and the file with D1's interface. */
export interface OpenDatabaseFile {
  readonly name: string
  readonly path: string
  readonly file: OpenFile
  readonly d1: SqliteD1
}

interface OpenDatabases {
  /** The first one holds the catalogue. */
  readonly opened: readonly [OpenDatabaseFile, ...OpenDatabaseFile[]]
  /** The migrations that were applied, for each file with some. */
  readonly migrated: readonly { readonly file: string; readonly names: readonly string[] }[]
}

/**
 * Opens all databases, and stores a new ADMIN_TOKEN.
 *
 * @param turns counts each commit of the serving thread as a turn
 * @throws {StartError} when one of them cannot be used; then all of them are closed
 */
export function openDatabases(
  settings: ServerSettings,
  migrations: readonly Migration[],
  turns: Turns,
): OpenDatabases {
  const { dataFolder, databaseCount, busyTimeoutMs } = settings
  const others = Array.from({ length: databaseCount - 1 }, (_, i) => databaseFile(dataFolder, i + 2))
  for (const path of [settings.databaseFile, ...others]) requireUsable(path, busyTimeoutMs, migrations)
  const files: OpenFile[] = []
  const migrated: { file: string; names: readonly string[] }[] = []
  const open = (name: string, path: string): OpenDatabaseFile => {
    const file = openFile(path, settings)
    files.push(file)
    const names = migrateFile(file, path, migrations)
    if (names.length > 0) migrated.push({ file: path, names })
    const sources = [...SOURCES_OF_TOKENS, ...SOURCES_OF_USERS]
    const remembered = new RememberedResults(file.database, sources, () => turns.round)
    const threads = new DatabaseThreads(path, settings)
    const d1 = new SqliteD1(file.database, threads, remembered, (since) => turns.count(since))
    return { name, path, file, d1 }
  }
  try {
    const first = open('DB', settings.databaseFile)
    const more = others.map((path, i) => open(`DB${i + 2}`, path))
    storeNewAdminToken(settings)
    return { opened: [first, ...more], migrated }
  } catch (error) {
    for (const file of files) closeAfterFailure(file)
    throw error
  }
}

function closeAfterFailure(file: OpenFile): void {
  try {
    file.close()
  } catch {
    // The disk that is full for a migration is full for the checkpoint too. The first error is reported.
  }
}

/** @returns the names of the migrations that were applied */
function migrateFile({ database }: OpenFile, path: string, migrations: readonly Migration[]) {
  try {
    return migrate(database, migrations, path)
  } catch (error) {
    // For example a full disk.
    throw startError(error, path)
  }
}
