/**
 * Imports the lines of a directory: all of them or none, as clients see it. A file that does not go into one request
 * goes on in the next: with the same file, whose lines that are in are compared by their digest, or with the rest of it.
 */
import { ScimError } from '../scim/error.ts'
import { MAX_NESTED_MEMBERSHIPS } from '../scim/limits.ts'
import { NO_EXTENSIONS, type TenantExtensions, withSchema } from '../scim/schema/tenant-extensions.ts'
import { type Database, GuardError, MAX_QUERIES, UniqueError } from '../storage/database/database.ts'
import { readTogether } from '../storage/database/query.ts'
import { extensionsQuery, restoreSchemas } from '../storage/extensions/extensions.ts'
import { extendedTypes, type StoredResourceType } from '../storage/tables/resource-tables.ts'
import { type DirectoryRecord, isClient } from '../storage/transfer/export.ts'
import {
  firstRefused,
  type ImportProgress,
  type ImportStatus,
  importStatusQuery,
  writeImportBatch,
} from '../storage/transfer/import.ts'
import { RunningSha256 } from '../storage/transfer/running-sha256.ts'
import {
  type Body,
  type EndRecord,
  endRecord,
  isEnd,
  isSchema,
  linesOf,
  parseLine,
  type RecordCounts,
  type SchemaRecord,
} from './directory-lines.ts'
import { AdminError } from './errors.ts'
import { refusing, refusingLater } from './tenant-schemas.ts'

/** Records in one batch, and characters of their lines: bounds the time that a batch takes, and the memory. */
const BATCH_RECORDS = 2_500
const BATCH_CHARACTERS = 400_000
/** Statements in one request; the rest is for what is asked before, and for finding a line that is refused. */
export const MAX_IMPORT_STATEMENTS = MAX_QUERIES - 150

/** What the end of a body is: that of the file, with its last line; of a part of it; of a file without a last line. */
export type BodyEnd = 'required' | 'later' | 'missing'

export interface ImportOptions {
  /** The line of the file that the body begins with, counted from 1. */
  readonly from: number
  readonly end: BodyEnd
  readonly maxStatements?: number
}

export interface ImportOutcome {
  readonly isDone: boolean
  /** What is in the tenant by now. */
  readonly imported: RecordCounts
  /** The line to go on with. */
  readonly nextLine: number
}

/** Another request was first: nothing of the batch was written. */
export class ImportOvertaken extends Error {}

/**
 * @param body lines of an export
 * @throws {AdminError} naming the line and what is wrong with it; what was written before it is in
 * @throws {ImportOvertaken} the tenant is no longer what it was when the batch before was written
 */
export async function importDirectory(
  db: Database,
  types: readonly StoredResourceType[],
  tenantId: string,
  body: Body,
  options: ImportOptions,
): Promise<ImportOutcome> {
  const { status, stored } = await readTogether(db, {
    status: importStatusQuery(types, tenantId),
    stored: extensionsQuery(tenantId),
  })
  const run = new ImportRun(db, types, tenantId, status, stored?.extensions ?? NO_EXTENSIONS, options)
  try {
    for await (const text of linesOf(body)) await run.take(text)
    return await run.finish()
  } catch (error) {
    throw run.withWayOut(error)
  }
}

interface NumberedRecord {
  readonly number: number
  readonly record: DirectoryRecord
}

/** One request of an import. */
class ImportRun {
  readonly #db: Database
  /** Those that are shipped. */
  readonly #shipped: readonly StoredResourceType[]
  /** The same with the extensions of the tenant. */
  #types: readonly StoredResourceType[]
  #extensions: TenantExtensions
  /** Extension schemas of the file that are not stored yet. */
  #schemas: SchemaRecord[] = []
  readonly #tenantId: string
  readonly #options: ImportOptions
  readonly #counts: RecordCounts
  readonly #sha256: RunningSha256
  /** What is committed. */
  #progress: ImportProgress | undefined
  /** The number of the line that was read last. */
  #line: number
  #batch: NumberedRecord[] = []
  #characters = 0
  #statements = 0
  #end: EndRecord | undefined

  constructor(
    db: Database,
    types: readonly StoredResourceType[],
    tenantId: string,
    status: ImportStatus,
    extensions: TenantExtensions,
    options: ImportOptions,
  ) {
    const { progress, counts } = status
    const next = (progress?.lines ?? 0) + 1
    if (options.from !== 1 && options.from !== next) {
      const found = `found ${options.from}`
      throw new AdminError(
        409,
        'conflict',
        `"from" must be 1, or ${next}, which is the line after those that are stored, ${found}`,
      )
    }
    this.#db = db
    this.#shipped = types
    this.#types = importedTypes(types, extensions)
    this.#extensions = extensions
    this.#tenantId = tenantId
    this.#options = options
    this.#counts = { ...counts }
    this.#progress = progress
    this.#line = options.from - 1
    this.#sha256 =
      options.from === 1 || progress === undefined
        ? new RunningSha256()
        : RunningSha256.resume(progress.digest)
  }

  async take(text: string): Promise<void> {
    // The rest of the body is read all the same: a client that is still sending could miss the answer.
    if (this.#isExhausted) return
    this.#line++
    if (this.#line <= (this.#progress?.lines ?? 0)) return this.#compare(text)
    if (text.trim() === '') return
    if (this.#end !== undefined) throw this.#invalid('comes after the last line')
    const record = parseLine(text, this.#line, this.#types, this.#shipped)
    if (isSchema(record)) return this.#takeSchema(record, text)
    if (isEnd(record)) return this.#check(record)
    if (this.#batch.length >= BATCH_RECORDS || this.#characters + text.length > BATCH_CHARACTERS) {
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
    if (this.#line < (this.#progress?.lines ?? 0)) throw this.#otherFile()
    if (this.#end === undefined && this.#options.end === 'required') {
      const problem = `the body ends after line ${this.#line} without the last line of an export, {"kind":"end",…}`
      const wayOut = '"?end=later" announces more of the file, "?end=missing" takes one of an older version'
      throw new AdminError(400, 'invalid', `${problem}, so the file is not whole; ${wayOut}`)
    }
    if (this.#end === undefined && this.#options.end === 'later') {
      if (this.#batch.length > 0) await this.#write({ lines: this.#line, digest: this.#sha256.state })
      return this.#outcome(false)
    }
    await this.#write(undefined)
    return this.#outcome(true)
  }

  #takeSchema(record: SchemaRecord, text: string): void {
    if (this.#batch.length > 0 || this.#progress !== undefined)
      throw this.#invalid('must stand before all resources')
    this.#extensions = refusing(() => withSchema(this.#extensions, record.schema))
    this.#types = importedTypes(this.#shipped, this.#extensions)
    this.#schemas.push(record)
    this.#hash(text)
  }

  /** Before the first resource: while the tenant is empty, no value stands in the way. */
  async #storeSchemas(): Promise<void> {
    if (this.#schemas.length === 0) return
    const stored = await refusingLater(() => restoreSchemas(this.#db, this.#tenantId, this.#schemas))
    if (stored === undefined) throw new ImportOvertaken('the tenant was deleted')
    this.#schemas = []
    this.#extensions = stored
    this.#types = importedTypes(this.#shipped, stored)
  }

  /** Says of a refusal what became of the lines before, and what can be done. */
  withWayOut(error: unknown): unknown {
    if (!(error instanceof AdminError) || this.#progress === undefined) return error
    const { lines } = this.#progress
    const wayOut = `lines 1 to ${lines} are stored: mend the file and send it again, or undo the import with DELETE …/import`
    return new AdminError(error.status, error.code, `${error.message}; ${wayOut}`, error.field, {
      cause: error,
    })
  }

  get #isExhausted(): boolean {
    return this.#statements >= (this.#options.maxStatements ?? MAX_IMPORT_STATEMENTS)
  }

  /** The digest that the last line gives is over all lines, each with its end; blank ones do not count. */
  #hash(text: string): void {
    this.#sha256.update(ENCODER.encode(`${text}\n`))
  }

  /** Passes over a line that is in. */
  #compare(text: string): void {
    if (text.trim() !== '') this.#hash(text)
    if (this.#line === this.#progress?.lines && this.#sha256.state !== this.#progress.digest)
      throw this.#otherFile()
  }

  #check(end: EndRecord): void {
    const found = endRecord(this.#types, this.#counts, this.#sha256.digest)
    const given: Readonly<Record<string, unknown>> = { ...end.counts, sha256: end.sha256 }
    for (const [field, value] of Object.entries({ ...found.counts, sha256: found.sha256 })) {
      const said = given[field]
      if (said === value) continue
      throw this.#invalid(
        `"${field}" is ${said}, but the lines before it give ${value}: the file was changed`,
      )
    }
    this.#end = end
  }

  /** @param after undefined when it is the last batch */
  async #write(after: ImportProgress | undefined): Promise<void> {
    await this.#storeSchemas()
    const records = this.#batch.map(({ record }) => record)
    try {
      const batch = { before: this.#progress, after, records }
      this.#statements += await writeImportBatch(this.#db, this.#types, this.#tenantId, batch)
    } catch (error) {
      throw await this.#refusal(error, records)
    }
    this.#progress = after
    this.#batch = []
    this.#characters = 0
  }

  async #refusal(error: unknown, records: readonly DirectoryRecord[]): Promise<unknown> {
    if (error instanceof GuardError && error.rule === 'stale version') {
      return new ImportOvertaken('another request was first', { cause: error })
    }
    const problem = problemOf(error, this.#types)
    if (problem === undefined) return error
    const index = await firstRefused(this.#db, this.#types, this.#tenantId, records)
    return new AdminError(409, 'conflict', `line ${this.#batch[index]?.number}: ${problem}`, undefined, {
      cause: error,
    })
  }

  #outcome(isDone: boolean): ImportOutcome {
    const nextLine = (this.#progress?.lines ?? this.#line) + 1
    return { isDone, imported: this.#counts, nextLine }
  }

  #invalid(problem: string): AdminError {
    return new AdminError(400, 'invalid', `line ${this.#line}: ${problem}`)
  }

  #otherFile(): AdminError {
    return new AdminError(409, 'conflict', 'the body does not begin with the lines that are stored already')
  }
}

/** What is stored of removed extensions is imported too. */
function importedTypes(
  types: readonly StoredResourceType[],
  { extensions, indexes }: TenantExtensions,
): readonly StoredResourceType[] {
  const all = extensions.map((extension) => ({ ...extension, state: 'active' as const }))
  return extendedTypes(types, { extensions: all, indexes })
}

const ENCODER = new TextEncoder()

/** What is told when the database refuses a record. @returns undefined when it is about none */
function problemOf(error: unknown, types: readonly StoredResourceType[]): string | undefined {
  if (error instanceof ScimError) return error.detail
  if (error instanceof UniqueError && error.columns.includes('groups.display_name_key')) {
    return '"displayName" is taken by a line before it; a tenant with "uniqueGroupNames": false allows namesakes'
  }
  if (error instanceof UniqueError) {
    return `"${fieldOf(error, types)}" is taken by a line before it`
  }
  if (!(error instanceof GuardError)) return undefined
  if (error.rule === 'group limit')
    return 'the tenant has a lower "groupLimit" than the file has groups: raise it first'
  if (error.rule === 'nested groups') {
    return `a tenant may hold ${MAX_NESTED_MEMBERSHIPS} memberships of groups in groups, and the file holds more`
  }
  if (error.rule === 'unknown member') return '"groupId" or "memberId" is not in a line before it'
  return `the database refuses it: ${error.rule}`
}

/** The field whose value is there already: an attribute of a resource, or the end of a membership. */
function fieldOf({ columns }: UniqueError, types: readonly StoredResourceType[]): string {
  const column = columns.split(', ').at(-1)
  const attributes = types.flatMap(({ table }) => Object.entries(table.columns))
  return attributes.find(([, { sql }]) => sql === column)?.[0] ?? 'memberId'
}
