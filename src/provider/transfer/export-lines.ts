/**
 * Writes a directory as lines (directory-lines.ts), part by part. Between two parts the progress is plain data, so another
 * invocation can continue.
 */
import type { TenantExtension } from '../../scim/schema/tenant-extensions.ts'
import type { Database } from '../../storage/database/database.ts'
import type { StoredResourceType } from '../../storage/tables/resource-tables.ts'
import {
  type DirectoryRecord,
  type ExportedTenant,
  type ExportPosition,
  exportStart,
  readExportPage,
} from '../../storage/transfer/export.ts'
import { pause } from '../../storage/transfer/pause.ts'
import { RunningSha256 } from '../../storage/transfer/running-sha256.ts'
import { endRecord, type RecordCounts, schemaRecords, toLine, zeroCounts } from './directory-lines.ts'

export interface ExportProgress {
  /** Null when only the end record is left. */
  readonly position: ExportPosition | null
  readonly counts: RecordCounts
  /** The state of a RunningSha256 over the lines so far. */
  readonly digest: string
}

export interface ExportSource {
  readonly db: Database
  readonly tenant: ExportedTenant
  readonly types: readonly StoredResourceType[]
  /** The extensions of the tenant. Values of those that are being purged are left out. */
  readonly extensions: readonly TenantExtension[]
}

export interface ExportPart {
  /** Whole lines; possibly none. */
  readonly text: string
  readonly recordCount: number
  /** Undefined after the end record. */
  readonly next: ExportProgress | undefined
}

/** The beginning of an export: the schemas, without a read. */
export function firstPart({ types, extensions }: ExportSource, withClients: boolean): ExportPart {
  const text = extensions.flatMap(schemaRecords).map(toLine).join('')
  const next = {
    position: exportStart(types, withClients),
    counts: zeroCounts(types),
    digest: digestAfter(new RunningSha256(), text),
  }
  return { text, recordCount: 0, next }
}

/**
 * Characters that are written and hashed at once, 40 ns each. In one process with requests, others run between the pieces
 * of a part: an event loop that is never idle may leave new requests waiting for many of its rounds.
 */
const PIECE_CHARACTERS = 250_000

/** Reads the next part with one statement. @throws {ExportInterrupted} */
export async function nextPart(source: ExportSource, progress: ExportProgress): Promise<ExportPart> {
  const { db, tenant, types, extensions } = source
  const { position, counts, digest } = progress
  const sha256 = RunningSha256.resume(digest)
  if (position === null) {
    return { text: toLine(endRecord(types, counts, sha256.digest)), recordCount: 0, next: undefined }
  }
  const { records, next } = await readExportPage(db, tenant, types, position)
  const purged = extensions.filter(({ state }) => state === 'purging').map(({ schema }) => schema.id)
  const counted = { ...counts }
  let [text, piece] = ['', '']
  for (const [i, record] of records.entries()) {
    piece += toLine(withoutExtensions(record, purged))
    if (record.kind in counted) counted[record.kind] = (counted[record.kind] ?? 0) + 1
    if (piece.length < PIECE_CHARACTERS && i < records.length - 1) continue
    sha256.update(ENCODER.encode(piece))
    text += piece
    piece = ''
    await pause()
  }
  return {
    text,
    recordCount: records.length,
    next: { position: next ?? null, counts: counted, digest: sha256.state },
  }
}

const ENCODER = new TextEncoder()

function digestAfter(sha256: RunningSha256, text: string): string {
  sha256.update(ENCODER.encode(text))
  return sha256.state
}

/** The whole file. @throws {ExportInterrupted} after the parts that were read until then */
export async function* exportedText(source: ExportSource, withClients: boolean): AsyncGenerator<string> {
  for (let part = firstPart(source, withClients); ; part = await nextPart(source, part.next)) {
    if (part.text !== '') yield part.text
    if (part.next === undefined) return
  }
}

/** A record without the values of extensions that are being purged. */
function withoutExtensions(record: DirectoryRecord, urns: readonly string[]): DirectoryRecord {
  if (urns.length === 0 || !('resource' in record)) return record
  const { schemas, ...attributes } = record.resource
  const kept = Object.entries(attributes).filter(([name]) => !urns.includes(name))
  const named = Array.isArray(schemas) ? schemas.filter((urn) => !urns.includes(urn)) : schemas
  return { ...record, resource: { schemas: named, ...Object.fromEntries(kept) } }
}
