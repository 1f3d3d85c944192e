/**
 * Imports a directory from JSON Lines. Clients see all of the file or nothing. If a file is too large for one request, the
 * next request continues with the same file or with the rest of it. A repeated file must begin with the stored lines; their
 * digest proves it.
 */
import { ScimError } from '../../scim/error.ts'
import { MAX_IMPORTED_CLIENTS, MAX_NESTED_MEMBERSHIPS } from '../../scim/limits.ts'
import { SchemaRefused } from '../../scim/schema/extension-members.ts'
import { NO_EXTENSIONS, type TenantExtensions, withSchema } from '../../scim/schema/tenant-extensions.ts'
import { type Database, GuardError, MAX_QUERIES, UniqueError } from '../../storage/database/database.ts'
import { readTogether } from '../../storage/database/query.ts'
import { ExtensionConflict } from '../../storage/extensions/extension-conflict.ts'
import { restoreSchemas } from '../../storage/extensions/extensions.ts'
import { extensionsQuery } from '../../storage/extensions/stored-extensions.ts'
import { extendedTypes, type StoredResourceType } from '../../storage/tables/resource-tables.ts'
import { CHUNK_CHARACTERS, CHUNK_LINES } from '../../storage/transfer/chunks.ts'
import {
  type DirectoryRecord,
  isClient,
  isResource,
  type ResourceRecord,
  recordKind,
} from '../../storage/transfer/export.ts'
import {
  countClientsWith,
  findSharedId,
  firstRefused,
  type ImportJobBatch,
  type ImportProgress,
  type ImportStatus,
  importStatusQuery,
  writeImportBatch,
} from '../../storage/transfer/import.ts'
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

export interface ImportJobOptions extends ImportJobBatch {
  /** Whether to find the line that the database refuses, which takes many statements. */
  readonly locatesLine: boolean
}

export interface ImportOutcome {
  readonly isDone: boolean
  /** The records stored so far. */
  readonly imported: RecordCounts
  /** The line to continue with. */
  readonly nextLine: number
}

/** The database refuses a line of the chunk. Nothing of the chunk was written. */
export class LineRefused extends Error {}

/** Another request has changed the import or the tenant. Nothing of the batch was written. */
export class ConcurrentImportError extends Error {}

/** The tenant that an import fills. */
export interface ImportTarget {
  readonly db: Database
  /** The types that are shipped. */
  readonly types: readonly StoredResourceType[]
  readonly tenantId: string
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

interface NumberedRecord {
  readonly number: number
  readonly record: DirectoryRecord
}

/** One request of an import. */
class ImportRun {
  readonly #db: Database
  /** The types without the extensions of the tenant. */
  readonly #shipped: readonly StoredResourceType[]
  /** The types with the extensions of the tenant. */
  #types: readonly StoredResourceType[]
  #extensions: TenantExtensions
  /** Extension schemas that were read and are not stored yet. */
  #schemas: SchemaRecord[] = []
  readonly #tenantId: string
  readonly #options: ImportOptions
  readonly #counts: RecordCounts
  readonly #sha256: RunningSha256
  /** The stored progress; undefined before the first batch. */
  #progress: ImportProgress | undefined
  /** The number of the last line that was read. */
  #line: number
  #batch: NumberedRecord[] = []
  #characters = 0
  #statements = 0
  #end: EndRecord | undefined

  constructor(
    { db, types, tenantId }: ImportTarget,
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
    // The rest of the body is still read: a client that is sending could miss the response.
    if (this.#isExhausted) return
    this.#line++
    if (this.#line <= (this.#progress?.lines ?? 0)) return this.#compare(text)
    if (isBlank(text)) return
    if (this.#end !== undefined) throw this.#invalid('no line may follow the end record')
    const record = parseLine(text, this.#line, this.#types, this.#shipped)
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
    if (this.#line < (this.#progress?.lines ?? 0)) throw this.#otherFile()
    if (this.#end === undefined && this.#options.end === 'required') {
      const problem = `the file is incomplete: the body ends after line ${this.#line} without the end record, {"kind":"end",…}`
      const advice = 'use "?end=later" for a part of a file, "?end=missing" for a file of an older version'
      throw new TransferRefused(400, this.#options.isCheck ? problem : `${problem}; ${advice}`)
    }
    if (this.#end === undefined && this.#options.end === 'later') {
      const isNew = this.#line > (this.#progress?.lines ?? 0)
      if (isNew) await this.#write({ lines: this.#line, digest: this.#sha256.state })
      return this.#outcome(false)
    }
    await this.#write(undefined)
    return this.#outcome(true)
  }

  #takeSchema(record: SchemaRecord, text: string): void {
    if (this.#batch.length > 0 || this.#progress !== undefined)
      throw this.#invalid('a schema must come before all resources')
    // Each change of a schema takes the same work as all schemas together.
    if (this.#schemas.some(({ schema }) => schema.id === record.schema.id))
      throw this.#invalid(`an earlier line has the schema "${record.schema.id}"`)
    this.#extensions = withRefusals(() => withSchema(this.#extensions, record.schema))
    this.#types = importedTypes(this.#shipped, this.#extensions)
    this.#schemas.push(record)
    this.#hash(text)
  }

  /** Called before the first resource is stored: in an empty tenant, no value can conflict with a schema. */
  async #storeSchemas(): Promise<void> {
    if (this.#schemas.length === 0) return
    const tenant = { db: this.#db, types: this.#shipped, tenantId: this.#tenantId }
    const stored = await restored(tenant, this.#schemas)
    if (stored === undefined) throw new ConcurrentImportError('the tenant was deleted')
    this.#schemas = []
    this.#extensions = stored
    this.#types = importedTypes(this.#shipped, stored)
  }

  /** Adds to a refusal which lines are stored and how to continue. */
  withAdvice(error: unknown): unknown {
    if (!(error instanceof TransferRefused) || this.#progress === undefined) return error
    const { lines } = this.#progress
    const advice = `lines 1 to ${lines} are stored: correct the file and send it again, or undo the import with DELETE …/import`
    return new TransferRefused(error.status, `${error.message}; ${advice}`, {
      cause: error,
      field: error.field,
    })
  }

  get #isExhausted(): boolean {
    return this.#statements >= (this.#options.maxStatements ?? MAX_IMPORT_STATEMENTS)
  }

  /** The digest of the end record covers all lines with their line ends, except blank lines. */
  #hash(text: string): void {
    this.#sha256.update(ENCODER.encode(`${text}\n`))
  }

  /** Skips a line that is stored already, and compares the digest at the last such line. */
  #compare(text: string): void {
    if (!isBlank(text)) this.#hash(text)
    if (this.#line === this.#progress?.lines && this.#sha256.state !== this.#progress.digest)
      throw this.#otherFile()
  }

  #check(end: EndRecord): void {
    const found = endRecord(this.#types, this.#counts, this.#sha256.digest)
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
    await this.#storeSchemas()
    const records = this.#batch.map(({ record }) => record)
    await this.#requireFewClients(records)
    await this.#requireOwnIds(records.filter(isResource))
    try {
      const batch = { before: this.#progress, after, records, job: this.#options.job }
      this.#statements += await writeImportBatch(this.#db, this.#types, this.#tenantId, batch)
    } catch (error) {
      throw await this.#refusal(error, records)
    }
    this.#progress = after
  }

  /** @throws {TransferRefused} */
  async #requireFewClients(records: readonly DirectoryRecord[]): Promise<void> {
    if (!records.some(isClient)) return
    this.#statements++
    const count = await countClientsWith(this.#db, this.#tenantId, records)
    if (count <= MAX_IMPORTED_CLIENTS) return
    const problem = `the tenant would have ${count} clients, the limit of an import is ${MAX_IMPORTED_CLIENTS}`
    throw new TransferRefused(409, `lines up to ${this.#batch.at(-1)?.number}: ${problem}`)
  }

  /**
   * RFC 7643 §3.1: an id is unique among the resources of all types. Two that shared one had one tombstone, and one history.
   *
   * @throws {TransferRefused}
   */
  async #requireOwnIds(resources: readonly ResourceRecord[]): Promise<void> {
    const kinds = this.#shipped.filter((type) => (this.#counts[recordKind(type)] ?? 0) > 0)
    if (kinds.length < 2 || resources.length === 0) return
    const kindOf = new Map(resources.map(({ id, kind }) => [id, kind]))
    const inBatch = resources.find(({ id, kind }) => kindOf.get(id) !== kind)?.id
    this.#statements++
    const shared = inBatch ?? (await findSharedId(this.#db, this.#shipped, this.#tenantId, resources))
    if (shared === undefined) return
    const last = this.#batch.findLast(({ record }) => 'id' in record && record.id === shared)
    const problem = `another line has the "id" ${shared} for a resource of another type`
    throw new TransferRefused(409, `line ${last?.number}: ${problem}`)
  }

  async #refusal(error: unknown, records: readonly DirectoryRecord[]): Promise<unknown> {
    if (error instanceof GuardError && error.rule === 'stale version') {
      return new ConcurrentImportError('another request has changed the tenant', { cause: error })
    }
    const problem = problemOf(error, this.#types)
    if (problem === undefined) return error
    if (this.#options.job?.locatesLine === false) return new LineRefused(problem, { cause: error })
    const index = await firstRefused(this.#db, this.#types, this.#tenantId, records)
    return new TransferRefused(409, `line ${this.#batch[index]?.number}: ${problem}`, { cause: error })
  }

  #outcome(isDone: boolean): ImportOutcome {
    const nextLine = (this.#progress?.lines ?? this.#line) + 1
    return { isDone, imported: this.#counts, nextLine }
  }

  #invalid(problem: string): TransferRefused {
    return new TransferRefused(400, `line ${this.#line}: ${problem}`)
  }

  #otherFile(): TransferRefused {
    return new TransferRefused(409, 'the body must begin with the lines that are stored already')
  }
}

/** @throws {TransferRefused} */
function withRefusals<Result>(run: () => Result): Result {
  try {
    return run()
  } catch (error) {
    throw refusalOf(error)
  }
}

/** Stores schemas. @returns undefined when there is no such tenant @throws {TransferRefused} */
async function restored(tenant: Parameters<typeof restoreSchemas>[0], schemas: readonly SchemaRecord[]) {
  try {
    return await restoreSchemas(tenant, schemas)
  } catch (error) {
    throw refusalOf(error)
  }
}

function refusalOf(error: unknown): unknown {
  if (error instanceof SchemaRefused) return new TransferRefused(400, error.message, { field: error.field })
  if (error instanceof ExtensionConflict) return new TransferRefused(409, error.message)
  return error
}

/** The types with all extensions of the tenant. Values of removed extensions are imported too. */
function importedTypes(
  types: readonly StoredResourceType[],
  { extensions, indexes }: TenantExtensions,
): readonly StoredResourceType[] {
  const all = extensions.map((extension) => ({ ...extension, state: 'active' as const }))
  return extendedTypes(types, { extensions: all, indexes })
}

const ENCODER = new TextEncoder()

/** The reason why the database refuses a record. @returns undefined if the error does not concern a record */
function problemOf(error: unknown, types: readonly StoredResourceType[]): string | undefined {
  if (error instanceof ScimError) return error.detail
  if (error instanceof UniqueError && error.columns.includes('groups.display_name_key')) {
    return 'an earlier line has the same "displayName"; set "uniqueGroupNames" of the tenant to false to allow that'
  }
  if (error instanceof UniqueError) {
    return `an earlier line has the same "${fieldOf(error, types)}"`
  }
  if (!(error instanceof GuardError)) return undefined
  if (error.rule === 'group limit')
    return 'the file has more groups than the "groupLimit" of the tenant: raise the limit first'
  if (error.rule === 'nested groups') {
    return `the file has too many memberships of groups in groups, the limit is ${MAX_NESTED_MEMBERSHIPS}`
  }
  if (error.rule === 'unknown member') return 'no earlier line has the resource of "groupId" or "memberId"'
  return `the database refuses the record: ${error.rule}`
}

/** The field whose value exists already: an attribute of a resource, or the member of a membership. */
function fieldOf({ columns }: UniqueError, types: readonly StoredResourceType[]): string {
  const column = columns.split(', ').at(-1)
  const attributes = types.flatMap(({ table }) => Object.entries(table.columns))
  return attributes.find(([, { sql }]) => sql === column)?.[0] ?? 'memberId'
}
