/** The tables of tenants: who they are, where they live, and the jobs that work on them. */
import { sql } from 'drizzle-orm'
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

/**
 * One organisation's directory. The administrator creates and deletes it. The counts are derived: triggers maintain
 * them, so no query counts rows.
 */
export const tenants = sqliteTable(
  'tenants',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    groupLimit: integer('group_limit').notNull().default(200),
    /** Whether no two groups share a displayName in comparison form. Triggers on `groups` enforce it. */
    uniqueGroupNames: integer('unique_group_names', { mode: 'boolean' }).notNull().default(true),
    userCount: integer('user_count').notNull().default(0),
    activeUserCount: integer('active_user_count').notNull().default(0),
    groupCount: integer('group_count').notNull().default(0),
    /** The sum of the groups' member counts. */
    membershipCount: integer('membership_count').notNull().default(0),
    /**
     * The bytes of the tenant's provisioning log, except those still in `provisioning_activity`. Code that deletes
     * entries subtracts their bytes; a trigger deletes the oldest entries beyond the limit.
     */
    logBytes: integer('log_bytes').notNull().default(0),
    /** The sums of the blocks of its users and of its groups: see `blocks`. */
    userBlocks: integer('user_blocks').notNull().default(0),
    groupBlocks: integer('group_blocks').notNull().default(0),
    /**
     * For the estimate of a scan: whole pieces of 256 bytes of the documents of each user beyond the first KiB, and the
     * objects in its comparison document from the fifth on. A brace in a text counts as an object.
     */
    userPieces: integer('user_pieces').notNull().default(0),
    userObjects: integer('user_objects').notNull().default(0),
    groupPieces: integer('group_pieces').notNull().default(0),
    groupObjects: integer('group_objects').notNull().default(0),
    createdAt: integer('created_at').notNull(),
    /**
     * Clients have access while it is "ready", and can read while it is "moving". In a database that is not the
     * tenant's home, the row is "arriving" (an incomplete copy) or "moved" (a copy that is being deleted).
     */
    state: text('state', {
      enum: ['ready', 'importing', 'undoing', 'deleting', 'moving', 'arriving', 'moved'],
    })
      .notNull()
      .default('ready'),
    /** The number of imported lines of the file, while it is "importing". */
    importedLines: integer('imported_lines'),
    /** The state of the SHA-256 over those lines: src/storage/transfer/running-sha256.ts. */
    importDigest: text('import_digest'),
    /** The job that moves the tenant, while it is "moving", "arriving" or "moved". No other job may change the row. */
    moveJobId: text('move_job_id'),
    /** JSON: the table and the key of the last row that was copied, while it is "arriving". */
    copiedUntil: text('copied_until'),
    /** JSON: `TenantConfiguration` in src/storage/tenants/context.ts. NULL is the default configuration. */
    configuration: text('configuration'),
    /** Derived: identifies the configuration; 0 is the default configuration. */
    version: integer('version').notNull().default(0),
    /**
     * The number of moves that the tenant has completed. If a restored database brings back an old copy, the copy with
     * more moves is the newer one: src/storage/tenants/claims.ts.
     */
    moves: integer('moves').notNull().default(0),
    /** Secret: the key that seals the cursors of the event feed. A trigger sets it, so it is NULL in no row. */
    eventKey: text('event_key'),
    /** The last user whose values are filled in; NULL before the first one, and when all are: see `user_values`. */
    valuesPosition: text('values_position'),
    /** `<table>:<id>`: the last resource whose words are filled in; NULL when all are: see missing-words.ts. */
    wordsPosition: text('words_position'),
    /** JSON: `NameWords` in src/storage/tenants/name-words.ts. NULL if they are to be filled in, as after a rename by SQL. */
    nameWords: text('name_words'),
  },
  // Partial indexes, so that queries find the few tenants on the move, and those without values, without a scan.
  (table) => [
    index('tenants_on_the_move').on(table.id).where(sql`state IN ('moving', 'arriving', 'moved')`),
    index('tenants_without_values').on(table.id).where(sql`configuration ->> '$.valuesMissing' IS NOT NULL`),
    index('tenants_without_words').on(table.id).where(sql`words_position IS NOT NULL`),
    index('tenants_without_name_words').on(table.id).where(sql`name_words IS NULL`),
  ],
)

/** The words of the names and ids of tenants, in comparison form. Triggers keep the rows from `name_words`; no other code writes them. */
export const tenantWords = sqliteTable(
  'tenant_words',
  { word: text('word').notNull(), tenantId: text('tenant_id').notNull() },
  (table) => [primaryKey({ columns: [table.word, table.tenantId] })],
)

/**
 * The database of a tenant that does not live in this one. In the first database this is the catalogue: a tenant
 * without a row lives in the first database itself. In any other database a row is the forwarding address of a move.
 * It may be out of date, so readers ask the catalogue. Requests of the administrator and jobs write it.
 */
export const tenantLocations = sqliteTable('tenant_locations', {
  tenantId: text('tenant_id').primaryKey(),
  /** The name of the binding, such as "DB2". */
  database: text('database').notNull(),
})

/**
 * Who this database is, in one row: the name of its binding, such as "DB2", and the random id of the installation that
 * it belongs to. Written at the first use, and never changed or deleted by the program: src/storage/tenants/identity.ts.
 */
export const databaseIdentity = sqliteTable('database_identity', {
  /** Always 1. */
  id: integer('id').primaryKey(),
  name: text('name').notNull(),
  installation: text('installation').notNull(),
})

/**
 * Work on a tenant that takes more than one request. Only the first database has rows. A job runner writes them; the
 * cron trigger deletes each 30 days after its end. `done` and `total` count rows and show the progress.
 */
export const jobs = sqliteTable(
  'jobs',
  {
    id: text('id').primaryKey(),
    tenantId: text('tenant_id').notNull(),
    kind: text('kind', {
      enum: ['move', 'delete', 'undo-import', 'export', 'import', 'restore', 'undo'],
    }).notNull(),
    state: text('state', { enum: ['running', 'done', 'failed'] }).notNull(),
    /** The next step: see src/provider/jobs/. */
    step: text('step').notNull(),
    /** The databases that the tenant moves from and to, by name. */
    source: text('source').notNull(),
    target: text('target'),
    /** JSON: the position within the step. */
    position: text('position'),
    done: integer('done').notNull().default(0),
    total: integer('total').notNull().default(0),
    /** The number of consecutive failed attempts of the step. */
    attempts: integer('attempts').notNull().default(0),
    /** The time of the first of them; NULL if the last attempt did not fail. */
    failingSince: integer('failing_since'),
    /** The reason for the failure, or for that of the last attempt. */
    error: text('error'),
    createdAt: integer('created_at').notNull(),
    finishedAt: integer('finished_at'),
  },
  (table) => [
    index('jobs_by_tenant').on(table.tenantId, table.id),
    // A tenant has one job at a time: if two begin at the same moment, the second is refused.
    uniqueIndex('jobs_running').on(table.tenantId).where(sql`state = 'running'`),
  ],
)

/**
 * The file of an export or an import that a job works on, in chunks of whole lines: see src/storage/transfer/chunks.ts.
 * The chunks are in the database of the tenant. They are deleted by the job, by the next export, with the tenant, or by
 * the hourly run. `data` comes last, so that SQLite finds the other columns without reading it.
 */
export const transferChunks = sqliteTable(
  'transfer_chunks',
  {
    tenantId: text('tenant_id').notNull(),
    jobId: text('job_id').notNull(),
    /** Counted from 1. */
    number: integer('number').notNull(),
    /** The number of its first line in the file, counted from 1. */
    firstLine: integer('first_line').notNull(),
    createdAt: integer('created_at').notNull(),
    /** JSON: how the export continues after this chunk. Of an import: "applied" in the last chunk when all are. */
    progress: text('progress'),
    /** The lines, compressed with gzip (RFC 1952), in base64: D1 returns a BLOB as an array of numbers. */
    data: text('data').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.jobId, table.number] }),
    index('transfer_chunks_by_time').on(table.createdAt),
  ],
)
