/**
 * The job that exports a directory into a file (storage/transfer/chunks.ts). Clients can read and write meanwhile.
 *
 * | step       | does |
 * |------------|------|
 * | clearing   | deletes earlier files of the tenant |
 * | exporting  | appends to the file, part by part |
 * | discarding | deletes the file of an export that failed |
 *
 * The last chunk of the file has the progress, so each part is written once by any number of runners.
 */
import { MAX_STORED_FILE_BYTES } from '../../scim/limits.ts'
import { readTogether } from '../../storage/database/query.ts'
import { extensionsQuery } from '../../storage/extensions/stored-extensions.ts'
import {
  appendChunks,
  ChunkCutter,
  deleteChunks,
  lastChunkQuery,
  type StoredChunk,
  storedChunk,
} from '../../storage/transfer/chunks.ts'
import type { FileProgress } from '../transfer/export-file.ts'
import { type ExportProgress, type ExportSource, firstPart, nextPart } from '../transfer/export-lines.ts'
import { tooLarge } from '../transfer/refused.ts'
import type { StepContext, Steps, Unit } from './step.ts'

/** The most parts that a unit reads, each with one statement, and characters after which it stores them. */
const MAX_PARTS = 4
const UNIT_CHARACTERS = 1_000_000
/** The other statements of a unit: the progress, the extensions, and the chunks of at most 5 MB. */
const FRAME_STATEMENTS = 6

export const EXPORT_STEPS: Steps = {
  clearing: { statements: 1, onFailure: 'discarding', run: clear },
  exporting: { statements: MAX_PARTS + FRAME_STATEMENTS, onFailure: 'discarding', run: append },
  discarding: { statements: 1, keepsError: true, run: discard },
}

/** The position of the job, as JSON. It does not change. */
export interface ExportOptions {
  readonly withClients: boolean
  /** Milliseconds since 1970. A tenant that is created later under the same id is another one. */
  readonly tenantCreatedAt: number
}

const NO_PROGRESS: Omit<FileProgress, 'export'> = { lines: 0, bytes: 0 }

async function clear({ databases, job }: StepContext): Promise<Unit> {
  const hasMore = await deleteChunks(databases.open(job.source), fileOf(job), 'others')
  return hasMore ? {} : { next: 'exporting', position: job.position }
}

async function append({ databases, resourceTypes: types, job, now }: StepContext): Promise<Unit> {
  const { tenantId: id } = job
  const db = databases.open(job.source)
  const { withClients, tenantCreatedAt: createdAt }: ExportOptions = JSON.parse(String(job.position))
  const { last, stored } = await readTogether(db, {
    last: lastChunkQuery(fileOf(job)),
    stored: extensionsQuery(id),
  })
  const before: FileProgress | undefined = last && JSON.parse(String(last.progress))
  if (before?.export === null) return { change: { state: 'done' } }
  const extensions = stored?.extensions.extensions ?? []
  const source: ExportSource = { db, tenant: { id, createdAt }, types, extensions }
  const { lines, more, after } = await readParts(source, before?.export ?? undefined, withClients)
  const progress = { ...NO_PROGRESS, ...before, export: after }
  const chunks = await chunksOf(lines, progress, (last?.number ?? 0) + 1)
  const isAppended = await appendChunks(db, fileOf(job), chunks, { states: ['ready', 'moving'], now: now() })
  // Otherwise another runner has appended them.
  return isAppended ? { more } : {}
}

/** @param before undefined at the beginning */
async function readParts(source: ExportSource, before: ExportProgress | undefined, withClients: boolean) {
  let part = before === undefined ? firstPart(source, withClients) : await nextPart(source, before)
  let [text, more] = [part.text, part.recordCount]
  for (
    let parts = 1;
    part.next !== undefined && parts < MAX_PARTS && text.length < UNIT_CHARACTERS;
    parts++
  ) {
    part = await nextPart(source, part.next)
    text += part.text
    more += part.recordCount
  }
  return { lines: text.split('\n').slice(0, -1), more, after: part.next ?? null }
}

/** The chunks of a unit, at least one. The last one has the progress. */
async function chunksOf(
  lines: readonly string[],
  { export: after, lines: linesBefore, bytes: bytesBefore }: FileProgress,
  firstNumber: number,
): Promise<readonly StoredChunk[]> {
  const cutter = new ChunkCutter()
  const groups = [...lines.flatMap((line) => cutter.add(line) ?? []), cutter.rest()]
  const chunks: StoredChunk[] = []
  let firstLine = linesBefore + 1
  for (const group of groups) {
    const number = firstNumber + chunks.length
    chunks.push(await storedChunk({ number, firstLine, progress: null }, group))
    firstLine += group.lines.length
  }
  const bytes = chunks.reduce((sum, { data }) => sum + data.length, bytesBefore)
  if (bytes > MAX_STORED_FILE_BYTES) throw tooLarge()
  const progress: FileProgress = { export: after, lines: firstLine - 1, bytes }
  return chunks.map((chunk, i) =>
    i === chunks.length - 1 ? { ...chunk, progress: JSON.stringify(progress) } : chunk,
  )
}

async function discard({ databases, job }: StepContext): Promise<Unit> {
  const hasMore = await deleteChunks(databases.open(job.source), fileOf(job), 'own')
  return hasMore ? {} : { change: { state: 'failed' } }
}

function fileOf({ tenantId, id: jobId }: StepContext['job']) {
  return { tenantId, jobId }
}
