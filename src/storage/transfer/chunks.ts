/**
 * The files of exports and imports that jobs work on: chunks of whole lines in the database of the tenant. A chunk is
 * written once, and only after the chunk before it, so a runner that is late or interrupted does no harm.
 */
import { type SQL, sql } from 'drizzle-orm'
import { DAY_MS } from '../../scim/duration.ts'
import { type Database, type Statement, statement, UniqueError } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import { selection } from '../tables/selection.ts'
import { transferChunks } from '../tables/tables.ts'
import { compressText, decompressText } from './compressed-text.ts'

/** The most lines in a chunk, without blank ones, and characters of these lines. An import stores a chunk as one batch. */
export const CHUNK_LINES = 2_500
export const CHUNK_CHARACTERS = 400_000

/** How long a file can be downloaded after its export. */
export const FILE_LIFETIME_MS = DAY_MS
/** The age at which the hourly run deletes chunks: an export may take a while before its file can be downloaded. */
const CHUNK_LIFETIME_MS = 2 * FILE_LIFETIME_MS

/** The file of a job. */
export interface TransferFile {
  readonly tenantId: string
  readonly jobId: string
}

/** A chunk in its stored form. */
export interface StoredChunk {
  readonly number: number
  readonly firstLine: number
  readonly progress: string | null
  readonly data: string
}

/** @param number of the chunk, counted from 1 */
export async function storedChunk(
  chunk: Omit<StoredChunk, 'data'>,
  { lines }: ChunkLines,
): Promise<StoredChunk> {
  return { ...chunk, data: await compressText(lines.map((line) => `${line}\n`).join('')) }
}

/** The lines of a chunk, without their line ends. */
export interface ChunkLines {
  readonly lines: readonly string[]
}

/** Cuts lines into chunks. */
export class ChunkCutter {
  #lines: string[] = []
  /** Without blank lines. */
  #count = 0
  #characters = 0

  /** @returns the chunk that ends before this line; undefined if the line belongs to the same chunk as the one before */
  add(line: string): ChunkLines | undefined {
    const isBlank = line.trim() === ''
    const isFull = this.#count >= CHUNK_LINES || this.#characters + line.length > CHUNK_CHARACTERS
    const full = !isBlank && isFull && this.#count > 0 ? this.rest() : undefined
    // A blank line may have as many characters as any other, and none of them matters.
    this.#lines.push(isBlank ? '' : line)
    if (!isBlank) {
      this.#count++
      this.#characters += line.length
    }
    return full
  }

  /** The lines after the last chunk. */
  rest(): ChunkLines {
    const lines = this.#lines
    this.#lines = []
    this.#count = 0
    this.#characters = 0
    return { lines }
  }
}

/** The most chunks in one statement, with a few bound parameters each, and bytes of their data. */
const MAX_INSERTED_CHUNKS = 20
const MAX_INSERTED_BYTES = 2_000_000

/**
 * Appends chunks to a file in one transaction.
 *
 * @returns false when nothing was appended: another runner has appended this chunk, the file was deleted, or the tenant
 *   is in another state
 */
export async function appendChunks(
  db: Database,
  file: TransferFile,
  chunks: readonly StoredChunk[],
  { states, now }: { readonly states: readonly ('ready' | 'moving')[]; readonly now: number },
): Promise<boolean> {
  try {
    const results = await db.batch(groupsOf(chunks).map((group) => insertStatement(file, group, states, now)))
    return results.every(({ changes }) => changes > 0)
  } catch (error) {
    if (error instanceof UniqueError) return false
    throw error
  }
}

function groupsOf(chunks: readonly StoredChunk[]): readonly (readonly StoredChunk[])[] {
  const groups: StoredChunk[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const chunk of chunks) {
    bytes += chunk.data.length
    if (bytes > MAX_INSERTED_BYTES || groups.at(-1)?.length === MAX_INSERTED_CHUNKS) {
      groups.push([])
      bytes = chunk.data.length
    }
    groups.at(-1)?.push(chunk)
  }
  return groups
}

function insertStatement(
  { tenantId, jobId }: TransferFile,
  chunks: readonly StoredChunk[],
  states: readonly string[],
  now: number,
): Statement {
  const rows = chunks.map(
    ({ number, firstLine, progress, data }) => sql`(${number}, ${firstLine}, ${progress}, ${data})`,
  )
  const before = (chunks[0]?.number ?? 1) - 1
  return statement(sql`INSERT INTO transfer_chunks (tenant_id, job_id, number, first_line, created_at, progress, data)
    SELECT ${tenantId}, ${jobId}, column1, column2, ${now}, column3, column4 FROM (VALUES ${sql.join(rows, sql`, `)})
    WHERE EXISTS (SELECT 1 FROM tenants WHERE id = ${tenantId}
        AND state IN (SELECT value FROM json_each(${JSON.stringify(states)})))
      AND (${before} = 0 OR EXISTS (SELECT 1 FROM transfer_chunks
        WHERE tenant_id = ${tenantId} AND job_id = ${jobId} AND number = ${before}))`)
}

const isOf = ({ tenantId, jobId }: TransferFile): SQL => sql`tenant_id = ${tenantId} AND job_id = ${jobId}`

const LAST = selection(transferChunks, ['number', 'createdAt', 'progress'])

/** The last chunk of a file; undefined if it has none. */
export function lastChunkQuery(
  file: TransferFile,
): Query<
  { readonly number: number; readonly createdAt: number; readonly progress: string | null } | undefined
> {
  return {
    statements: [LAST.where(sql`${isOf(file)} ORDER BY number DESC LIMIT 1`)],
    read: ([found]) => LAST.first(found),
  }
}

const READ = selection(transferChunks, ['number', 'progress', 'data'])
/** The most chunks that are read together, and bytes of their data, unless a single one is larger. */
const MAX_READ_CHUNKS = 50
const MAX_READ_BYTES = 4 * 1024 * 1024

/** The next chunks of a file. @param after the number of the last chunk that was read */
export async function readChunksAfter(db: Database, file: TransferFile, after: number) {
  const sizes = sql`SELECT number, sum(bytes) OVER (ORDER BY number ROWS UNBOUNDED PRECEDING) AS total
    FROM (SELECT number, octet_length(data) AS bytes FROM transfer_chunks WHERE ${isOf(file)} AND number > ${after}
      ORDER BY number LIMIT ${MAX_READ_CHUNKS})`
  const [found] = await db.batch([
    READ.where(sql`${isOf(file)} AND number > ${after} AND number <= (SELECT max(number) FROM (${sizes})
      WHERE total <= ${MAX_READ_BYTES} OR number = ${after + 1}) ORDER BY number`),
  ])
  return READ.all(found)
}

/** The file of an import, as its job sees it. */
export interface ImportFile {
  /** Whether all lines are in the directory. */
  readonly isApplied: boolean
  /** The first chunk that is not in the directory; undefined if there is none. */
  readonly next: ImportChunk | undefined
}

export interface ImportChunk {
  readonly firstLine: number
  readonly isLast: boolean
  /** See compressed-text.ts. */
  readonly data: string
}

const NEXT = selection(transferChunks, ['firstLine', 'data'], {
  computed: {
    isLast: sql<number>`number = (SELECT max(number) FROM transfer_chunks AS last
      WHERE last.tenant_id = transfer_chunks.tenant_id AND last.job_id = transfer_chunks.job_id)`,
  },
})

/** The next chunk of the file of an import that is not stored yet. */
export function importFileQuery(file: TransferFile): Query<ImportFile> {
  return {
    statements: [
      statement(sql`SELECT 1 FROM transfer_chunks WHERE ${isOf(file)} AND progress = ${APPLIED}`),
      NEXT.where(sql`${isOf(file)} AND first_line = 1 + coalesce((SELECT imported_lines FROM tenants
        WHERE id = ${file.tenantId} AND state = 'importing'), 0)`),
    ],
    read: ([applied, found]) => {
      const next = NEXT.first(found)
      return {
        isApplied: applied?.rows.length === 1,
        next: next && { ...next, isLast: Boolean(next.isLast) },
      }
    },
  }
}

const APPLIED = 'applied'

/** Marks a file whose last lines are stored by the same batch. */
export function appliedStatement(file: TransferFile): Statement {
  return statement(sql`UPDATE transfer_chunks SET progress = ${APPLIED} WHERE ${isOf(file)}
    AND number = (SELECT max(number) FROM transfer_chunks WHERE ${isOf(file)})`)
}

/** Holds while the lines of a file may be stored. */
export function isUsable(file: TransferFile): SQL {
  return sql`EXISTS (SELECT 1 FROM transfer_chunks WHERE ${isOf(file)} AND number = 1)`
}

/**
 * Prevents that any more lines of a file are stored.
 *
 * @returns false when all of them are stored already
 */
export async function withdrawFile(db: Database, file: TransferFile): Promise<boolean> {
  const [found] = await db.batch([
    statement(sql`SELECT 1 FROM transfer_chunks WHERE ${isOf(file)} AND progress = ${APPLIED}`),
    statement(sql`DELETE FROM transfer_chunks WHERE ${isOf(file)} AND number = 1
      AND NOT EXISTS (SELECT 1 FROM transfer_chunks WHERE ${isOf(file)} AND progress = ${APPLIED})`),
  ])
  return found?.rows.length === 0
}

/** Chunks that one statement deletes, usually 2 MB: a self-hosted server answers no other request meanwhile. */
const DELETED_CHUNKS = 25

/** Deletes some chunks of a file, or of all other files of the tenant. @returns whether there may be more */
export async function deleteChunks(
  db: Database,
  { tenantId, jobId }: TransferFile,
  which: 'own' | 'others',
): Promise<boolean> {
  const compared = sql.raw(which === 'own' ? '=' : '<>')
  return await deleteSome(db, sql`tenant_id = ${tenantId} AND job_id ${compared} ${jobId}`)
}

/** Deletes some old chunks, except those that a move copies. @returns whether there may be more */
export async function pruneChunks(db: Database, now: number): Promise<boolean> {
  return await deleteSome(
    db,
    sql`created_at < ${now - CHUNK_LIFETIME_MS} AND NOT EXISTS (SELECT 1 FROM tenants
      WHERE tenants.id = transfer_chunks.tenant_id AND state IN ('moving', 'arriving', 'moved'))`,
  )
}

async function deleteSome(db: Database, condition: SQL): Promise<boolean> {
  const [deleted] = await db.batch([
    statement(sql`DELETE FROM transfer_chunks WHERE rowid IN
      (SELECT rowid FROM transfer_chunks WHERE ${condition} LIMIT ${DELETED_CHUNKS})`),
  ])
  return deleted?.changes === DELETED_CHUNKS
}

/** The lines of a chunk as bytes. */
export async function bytesOfChunk({ data }: Pick<StoredChunk, 'data'>): Promise<Uint8Array> {
  return await decompressText(data)
}
