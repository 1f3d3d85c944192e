/**
 * Imports a directory from JSON Lines. Clients see all of the file or nothing. If a file is too large for one request, the
 * next request continues with the same file or with the rest of it. A repeated file must begin with the stored lines; their
 * digest proves it.
 */
import { NO_EXTENSIONS, type TenantExtensions } from '../../scim/schema/tenant-extensions.ts'
import { MAX_QUERIES } from '../../storage/database/database.ts'
import { readTogether } from '../../storage/database/query.ts'
import { extensionsQuery } from '../../storage/extensions/stored-extensions.ts'
import type { StoredResourceType } from '../../storage/tables/resource-tables.ts'
import { CHUNK_CHARACTERS, CHUNK_LINES } from '../../storage/transfer/chunks.ts'
import { isClient } from '../../storage/transfer/export.ts'
import { type ImportProgress, type ImportStatus, importStatusQuery } from '../../storage/transfer/import.ts'
import { RunningSha256 } from '../../storage/transfer/running-sha256.ts'
import {
  type Body,
  type EndRecord,
  endRecord,
  isBlank,
  isEnd,
  isSchema,
  linesOf,
  parseLine,
  type RecordCounts,
  type SchemaRecord,
  zeroCounts,
} from './directory-lines.ts'
import {
  ConcurrentImportError,
  ImportBatches,
  type ImportJobOptions,
  type ImportTarget,
  type NumberedRecord,
} from './import-batches.ts'
import { ImportSchemas } from './import-schemas.ts'
import { TransferRefused } from './refused.ts'

/** The most statements in one request. The remaining queries read the status and find a refused line. */
export const MAX_IMPORT_STATEMENTS = MAX_QUERIES - 150

/**
 * How the body ends: with the end record of the file ("required"), in the middle of the file ("later"), or at the end of a
 * file without an end record ("missing").
 */
export type BodyEnd = 'required' | 'later' | 'missing'

export interface ImportOptions {
  /** The number of the first line of the body in the file, counted from 1. */
  readonly from: number
  readonly end: BodyEnd
  readonly maxStatements?: number
  /** Set for a chunk of a file that a job imports. */
  readonly job?: ImportJobOptions
  /** Whether to store nothing. */
  readonly isCheck?: boolean
}

export interface ImportOutcome {
  readonly isDone: boolean
  /** The records stored so far. */
  readonly imported: RecordCounts
  /** The line to continue with. */
  readonly nextLine: number
}

/**
 * @param body lines of an export
 * @throws {TransferRefused} with the line and the problem; the batches before it stay stored
 * @throws {LineRefused} for a job that does not locate the line
 * @throws {ConcurrentImportError} if the tenant was changed after the previous batch
 */
export async function importDirectory(
  target: ImportTarget,
  body: Body,
  options: ImportOptions,
): Promise<ImportOutcome> {
  const { db, types, tenantId } = target
  const { status, stored } = await readTogether(db, {
    status: importStatusQuery(types, tenantId),
    stored: extensionsQuery(tenantId),
  })
  const run = new ImportRun(target, { status, extensions: stored?.extensions ?? NO_EXTENSIONS }, options)
  try {
    for await (const text of linesOf(body)) await run.take(text)
    return await run.finish()
  } catch (error) {
    throw options.job === undefined ? run.withAdvice(error) : error
  }
}

/**
 * Reads the lines of a file as an import does, and stores nothing. What only the database can refuse is not found: a name
 * that another line has, a member that no line has, and more groups than the tenant may have.
 *
 * @returns the records by kind
 * @throws {TransferRefused} with the line and the problem
 */
export async function checkDirectory(
  { db, types, tenantId }: ImportTarget,
  body: Body,
): Promise<RecordCounts> {
  const { stored } = await readTogether(db, { stored: extensionsQuery(tenantId) })
  const empty = { progress: undefined, counts: zeroCounts(types) }
  const start = { status: empty, extensions: stored?.extensions ?? NO_EXTENSIONS }
  const run = new ImportRun({ db, types, tenantId }, start, { from: 1, end: 'required', isCheck: true })
  for await (const text of linesOf(body)) await run.take(text)
  return (await run.finish()).imported
}

/** One request of an import. */
class ImportRun {
  /** The types that are shipped. */
  readonly #shipped: readonly StoredResourceType[]
  readonly #schemas: ImportSchemas
  readonly #batches: ImportBatches
  readonly #options: ImportOptions
  readonly #counts: RecordCounts
  readonly #sha256: RunningSha256
  /** The number of the last line that was read. */
  #line: number
  #batch: NumberedRecord[] = []
  #characters = 0
  #end: EndRecord | undefined

  constructor(
    target: ImportTarget,
    { status, extensions }: { readonly status: ImportStatus; readonly extensions: TenantExtensions },
    options: ImportOptions,
  ) {
    const { progress, counts } = status
    const next = (progress?.lines ?? 0) + 1
    if (options.job !== undefined && options.from !== next) {
      throw new ConcurrentImportError('another runner has stored this chunk')
    }
    if (options.from !== 1 && options.from !== next) {
      throw new TransferRefused(
        409,
        `"from" must be 1 or ${next}, the line after the stored ones, found ${options.from}`,
      )
    }
    this.#shipped = target.types
    this.#schemas = new ImportSchemas(target, extensions)
    this.#batches = new ImportBatches(target, progress, options.job)
    this.#options = options
    this.#counts = { ...counts }
    this.#line = options.from - 1
    this.#sha256 =
      options.from === 1 || progress === undefined
        ? new RunningSha256()
        : RunningSha256.resume(progress.digest)
  }

  async take(text: string): Promise<void> {
    // The rest of the body is still read: a client that is sending could miss the response.
    if (this.#isExhausted) return
    this.#line++
    if (this.#line <= (this.#batches.progress?.lines ?? 0)) return this.#compare(text)
    if (isBlank(text)) return
    if (this.#end !== undefined) throw this.#invalid('no line may follow the end record')
    const record = parseLine(text, this.#line, this.#schemas.types, this.#shipped)
    if (isSchema(record)) return this.#takeSchema(record, text)
    if (isEnd(record)) return this.#check(record)
    const isFull = this.#batch.length >= CHUNK_LINES || this.#characters + text.length > CHUNK_CHARACTERS
    if (isFull && this.#batch.length > 0) {
      await this.#write({ lines: this.#line - 1, digest: this.#sha256.state })
      if (this.#isExhausted) return
    }
    this.#batch.push({ number: this.#line, record })
    this.#characters += text.length
    if (!isClient(record)) this.#counts[record.kind] = (this.#counts[record.kind] ?? 0) + 1
    this.#hash(text)
  }

  async finish(): Promise<ImportOutcome> {
    if (this.#isExhausted) return this.#outcome(false)
    if (this.#line < (this.#batches.progress?.lines ?? 0)) throw this.#otherFile()
    if (this.#end === undefined && this.#options.end === 'required') {
      const problem = `the file is incomplete: the body ends after line ${this.#line} without the end record, {"kind":"end",…}`
      const advice = 'use "?end=later" for a part of a file, "?end=missing" for a file of an older version'
      throw new TransferRefused(400, this.#options.isCheck ? problem : `${problem}; ${advice}`)
    }
    if (this.#end === undefined && this.#options.end === 'later') {
      const isNew = this.#line > (this.#batches.progress?.lines ?? 0)
      if (isNew) await this.#write({ lines: this.#line, digest: this.#sha256.state })
      return this.#outcome(false)
    }
    await this.#write(undefined)
    return this.#outcome(true)
  }

  #takeSchema(record: SchemaRecord, text: string): void {
    if (this.#batch.length > 0 || this.#batches.progress !== undefined)
      throw this.#invalid('a schema must come before all resources')
    // Each change of a schema takes the same work as all schemas together.
    if (this.#schemas.has(record)) throw this.#invalid(`an earlier line has the schema "${record.schema.id}"`)
    this.#schemas.take(record)
    this.#hash(text)
  }

  /** Adds to a refusal which lines are stored and how to continue. */
  withAdvice(error: unknown): unknown {
    if (!(error instanceof TransferRefused) || this.#batches.progress === undefined) return error
    const { lines } = this.#batches.progress
    const advice = `lines 1 to ${lines} are stored: correct the file and send it again, or undo the import with DELETE …/import`
    return new TransferRefused(error.status, `${error.message}; ${advice}`, {
      cause: error,
      field: error.field,
    })
  }

  get #isExhausted(): boolean {
    return this.#batches.statements >= (this.#options.maxStatements ?? MAX_IMPORT_STATEMENTS)
  }

  /** The digest of the end record covers all lines with their line ends, except blank lines. */
  #hash(text: string): void {
    this.#sha256.update(ENCODER.encode(`${text}\n`))
  }

  /** Skips a line that is stored already, and compares the digest at the last such line. */
  #compare(text: string): void {
    if (!isBlank(text)) this.#hash(text)
    if (this.#line === this.#batches.progress?.lines && this.#sha256.state !== this.#batches.progress.digest)
      throw this.#otherFile()
  }

  #check(end: EndRecord): void {
    const found = endRecord(this.#schemas.types, this.#counts, this.#sha256.digest)
    const given: Readonly<Record<string, unknown>> = { ...end.counts, sha256: end.sha256 }
    for (const [field, value] of Object.entries({ ...found.counts, sha256: found.sha256 })) {
      const stated = given[field]
      if (stated === value) continue
      throw this.#invalid(
        `the file was changed: "${field}" is ${stated}, but the lines before it give ${value}`,
      )
    }
    this.#end = end
  }

  /** @param after the progress to store; undefined for the last batch */
  async #write(after: ImportProgress | undefined): Promise<void> {
    if (this.#options.isCheck !== true) await this.#store(after)
    this.#batch = []
    this.#characters = 0
  }

  async #store(after: ImportProgress | undefined): Promise<void> {
    await this.#schemas.store()
    const { types } = this.#schemas
    await this.#batches.store({ lines: this.#batch, after, types, counts: this.#counts })
  }

  #outcome(isDone: boolean): ImportOutcome {
    const nextLine = (this.#batches.progress?.lines ?? this.#line) + 1
    return { isDone, imported: this.#counts, nextLine }
  }

  #invalid(problem: string): TransferRefused {
    return new TransferRefused(400, `line ${this.#line}: ${problem}`)
  }

  #otherFile(): TransferRefused {
    return new TransferRefused(409, 'the body must begin with the lines that are stored already')
  }
}

const ENCODER = new TextEncoder()
