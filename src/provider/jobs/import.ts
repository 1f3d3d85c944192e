/**
 * The job that imports a file which was stored by its upload (storage/transfer/chunks.ts). Clients see all of it or
 * nothing: they get 503 from the first chunk to the last.
 *
 * | step       | does |
 * |------------|------|
 * | receiving  | waits for the upload, which runs elsewhere |
 * | importing  | stores the lines, chunk by chunk |
 * | locating   | finds the line of a chunk that the database refuses |
 * | undoing    | deletes what was stored of an import that failed or was cancelled |
 * | finishing  | deletes the file, and tells webhooks |
 * | discarding | deletes the file of an import that failed or was cancelled |
 *
 * The row of the tenant has the progress, so each chunk is stored once by any number of runners.
 */
import { MINUTE_MS } from '../../scim/duration.ts'
import { readTogether } from '../../storage/database/query.ts'
import { DELETION_FRAME_STATEMENTS, undoImport } from '../../storage/tenants/deletion.ts'
import { getTenant } from '../../storage/tenants/queries.ts'
import {
  appliedStatement,
  bytesOfChunk,
  deleteChunks,
  type ImportChunk,
  importFileQuery,
  isUsable,
  lastChunkQuery,
  withdrawFile,
} from '../../storage/transfer/chunks.ts'
import { pause } from '../../storage/transfer/pause.ts'
import { activeWebhooksQuery } from '../../storage/webhooks/webhooks.ts'
import { ConcurrentImportError, LineRefused } from '../transfer/import-batches.ts'
import { importDirectory } from '../transfer/import-lines.ts'
import { TransferRefused } from '../transfer/refused.ts'
import type { StepContext, Steps, Unit } from './step.ts'

/** How long an upload may store nothing before it counts as interrupted. */
const UPLOAD_TIMEOUT_MS = 10 * MINUTE_MS

/** The statements of a chunk of ordinary lines. */
const CHUNK_STATEMENTS = 16
/**
 * Locating a line takes a run for itself: a binary search in 2,500 lines has 12 attempts of 3 statements. The number must
 * not exceed what is left at the beginning of a run (runner.ts), or the step would never begin.
 */
const LOCATING_STATEMENTS = 40
/** About a hundred lines of users, 50 µs each: parsing, validation and the digest. */
const PART_BYTES = 40_000
/** Chunks of rows that a unit deletes. */
const DELETED_CHUNKS = 10

export const IMPORT_STEPS: Steps = {
  receiving: { statements: 1, onFailure: 'discarding', run: awaitUpload },
  importing: { statements: CHUNK_STATEMENTS, onFailure: 'undoing', run: (context) => store(context, false) },
  locating: { statements: LOCATING_STATEMENTS, onFailure: 'undoing', run: (context) => store(context, true) },
  undoing: {
    statements: DELETED_CHUNKS + DELETION_FRAME_STATEMENTS,
    keepsError: true,
    run: undo,
  },
  finishing: { statements: 2, run: finish },
  discarding: { statements: 1, keepsError: true, run: (context) => removeFile(context, 'failed') },
}

async function awaitUpload({ databases, job, now }: StepContext): Promise<Unit> {
  const { last } = await readTogether(databases.open(job.source), { last: lastChunkQuery(fileOf(job)) })
  const pauseMs = (last?.createdAt ?? job.createdAt) + UPLOAD_TIMEOUT_MS - now()
  return pauseMs > 0 ? { pauseMs } : abandoned('the upload was interrupted')
}

async function store(context: StepContext, locatesLine: boolean): Promise<Unit> {
  const { databases, job } = context
  const { found } = await readTogether(databases.open(job.source), { found: importFileQuery(fileOf(job)) })
  if (found.isApplied) return { next: 'finishing' }
  if (found.next === undefined) return failed('the stored file is incomplete')
  try {
    const more = await storeChunk(context, found.next, locatesLine)
    if (found.next.isLast) return { more, next: 'finishing' }
    return locatesLine ? { more, next: 'importing' } : { more }
  } catch (error) {
    if (error instanceof LineRefused) return { next: 'locating' }
    if (error instanceof TransferRefused) return failed(error.message)
    if (error instanceof ConcurrentImportError) return await afterConflict(context)
    throw error
  }
}

/** @returns the number of lines, for the progress */
async function storeChunk(
  { databases, resourceTypes, job, noteWrite }: StepContext,
  chunk: ImportChunk,
  locatesLine: boolean,
): Promise<number> {
  const file = fileOf(job)
  const bytes = await bytesOfChunk(chunk)
  const { nextLine } = await importDirectory(
    { db: databases.open(job.source), types: resourceTypes, tenantId: job.tenantId },
    inParts(bytes),
    {
      from: chunk.firstLine,
      end: chunk.isLast ? 'required' : 'later',
      job: { locatesLine, condition: isUsable(file), onLast: [appliedStatement(file)] },
    },
  )
  await noteWrite()
  return nextLine - chunk.firstLine
}

/** In one process with requests, others run between the parts of a chunk. */
async function* inParts(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += PART_BYTES) {
    yield bytes.subarray(start, start + PART_BYTES)
    await pause()
  }
}

/** Another runner was faster; or the tenant was changed before the first chunk was stored. */
async function afterConflict({ databases, job }: StepContext): Promise<Unit> {
  const db = databases.open(job.source)
  const tenant = await getTenant(db, job.tenantId)
  const { found } = await readTogether(db, { found: importFileQuery(fileOf(job)) })
  if (found.isApplied || tenant?.state === 'importing') return {}
  return abandoned('the tenant was changed before the import began; an import requires an empty tenant')
}

async function undo({ databases, resourceTypes, job, noteWrite }: StepContext): Promise<Unit> {
  const db = databases.open(job.source)
  if (!(await withdrawFile(db, fileOf(job)))) return { next: 'finishing', change: { error: null } }
  const outcome = await undoImport(db, resourceTypes, job.tenantId, DELETED_CHUNKS)
  await noteWrite()
  return outcome === 'undoing' ? {} : { next: 'discarding' }
}

async function finish(context: StepContext): Promise<Unit> {
  const { databases, job, pokeWebhooks } = context
  const unit = await removeFile(context, 'done')
  if (unit.change === undefined) return unit
  const { active } = await readTogether(databases.open(job.source), {
    active: activeWebhooksQuery(job.tenantId),
  })
  await pokeWebhooks(active.map((webhookId) => ({ tenantId: job.tenantId, webhookId })))
  return unit
}

function failed(error: string): Unit {
  return { next: 'undoing', change: { error } }
}

function abandoned(error: string): Unit {
  return { next: 'discarding', change: { error } }
}

async function removeFile({ databases, job }: StepContext, state: 'done' | 'failed'): Promise<Unit> {
  const hasMore = await deleteChunks(databases.open(job.source), fileOf(job), 'own')
  return hasMore ? {} : { change: { state } }
}

function fileOf({ tenantId, id: jobId }: StepContext['job']) {
  return { tenantId, jobId }
}
