/**
 * Stores the lines of an import, a batch at a time, as one transaction each. If the database refuses a batch, the refusal names
 * the line. It reads no file.
 */
import { ScimError } from '../../scim/error.ts'
import { MAX_IMPORTED_CLIENTS, MAX_NESTED_MEMBERSHIPS } from '../../scim/limits.ts'
import { type Database, GuardError, UniqueError } from '../../storage/database/database.ts'
import type { StoredResourceType } from '../../storage/tables/resource-tables.ts'
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
  writeImportBatch,
} from '../../storage/transfer/import.ts'
import type { RecordCounts } from './directory-lines.ts'
import { TransferRefused } from './refused.ts'

/** The tenant that an import fills. */
export interface ImportTarget {
  readonly db: Database
  /** The types that are shipped. */
  readonly types: readonly StoredResourceType[]
  readonly tenantId: string
}

export interface ImportJobOptions extends ImportJobBatch {
  /** Whether to find the line that the database refuses, which takes many statements. */
  readonly locatesLine: boolean
}

/** A record and the number of its line. */
export interface NumberedRecord {
  readonly number: number
  readonly record: DirectoryRecord
}

export interface LineBatch {
  readonly lines: readonly NumberedRecord[]
  /** The progress to store; undefined for the last batch. */
  readonly after: ImportProgress | undefined
  /** The types with the extensions of the tenant. */
  readonly types: readonly StoredResourceType[]
  /** The records up to the end of the batch. */
  readonly counts: RecordCounts
}

/** The database refuses a line of the chunk. Nothing of the chunk was written. */
export class LineRefused extends Error {}

/** Another request has changed the import or the tenant. Nothing of the batch was written. */
export class ConcurrentImportError extends Error {}

/** The batches of one request. */
export class ImportBatches {
  readonly #target: ImportTarget
  readonly #job: ImportJobOptions | undefined
  #progress: ImportProgress | undefined
  #statements = 0

  /** @param progress undefined before the first batch of the file */
  constructor(target: ImportTarget, progress: ImportProgress | undefined, job: ImportJobOptions | undefined) {
    this.#target = target
    this.#progress = progress
    this.#job = job
  }

  /** The stored progress; undefined before the first batch, and after the last one. */
  get progress(): ImportProgress | undefined {
    return this.#progress
  }

  /** The statements so far. */
  get statements(): number {
    return this.#statements
  }

  /** @throws {TransferRefused} {LineRefused} {ConcurrentImportError} nothing of the batch was written */
  async store(batch: LineBatch): Promise<void> {
    const { after, types } = batch
    const records = batch.lines.map(({ record }) => record)
    await this.#requireFewClients(batch, records)
    await this.#requireOwnIds(batch, records.filter(isResource))
    const { db, tenantId } = this.#target
    try {
      const part = { before: this.#progress, after, records, job: this.#job }
      this.#statements += await writeImportBatch(db, types, tenantId, part)
    } catch (error) {
      throw await this.#refusal(error, batch, records)
    }
    this.#progress = after
  }

  /** @throws {TransferRefused} */
  async #requireFewClients({ lines }: LineBatch, records: readonly DirectoryRecord[]): Promise<void> {
    if (!records.some(isClient)) return
    this.#statements++
    const { db, tenantId } = this.#target
    const count = await countClientsWith(db, tenantId, records)
    if (count <= MAX_IMPORTED_CLIENTS) return
    const problem = `the tenant would have ${count} clients, the limit of an import is ${MAX_IMPORTED_CLIENTS}`
    throw new TransferRefused(409, `lines up to ${lines.at(-1)?.number}: ${problem}`)
  }

  /**
   * RFC 7643 §3.1: an id is unique among the resources of all types. Two that shared one had one tombstone, and one history.
   *
   * @throws {TransferRefused}
   */
  async #requireOwnIds({ lines, counts }: LineBatch, resources: readonly ResourceRecord[]): Promise<void> {
    const { db, types, tenantId } = this.#target
    const kinds = types.filter((type) => (counts[recordKind(type)] ?? 0) > 0)
    if (kinds.length < 2 || resources.length === 0) return
    const kindOf = new Map(resources.map(({ id, kind }) => [id, kind]))
    const inBatch = resources.find(({ id, kind }) => kindOf.get(id) !== kind)?.id
    this.#statements++
    const shared = inBatch ?? (await findSharedId(db, types, tenantId, resources))
    if (shared === undefined) return
    const last = lines.findLast(({ record }) => 'id' in record && record.id === shared)
    const problem = `another line has the "id" ${shared} for a resource of another type`
    throw new TransferRefused(409, `line ${last?.number}: ${problem}`)
  }

  async #refusal(
    error: unknown,
    { lines, types }: LineBatch,
    records: readonly DirectoryRecord[],
  ): Promise<unknown> {
    if (error instanceof GuardError && error.rule === 'stale version') {
      return new ConcurrentImportError('another request has changed the tenant', { cause: error })
    }
    const problem = problemOf(error, types)
    if (problem === undefined) return error
    if (this.#job?.locatesLine === false) return new LineRefused(problem, { cause: error })
    const { db, tenantId } = this.#target
    const index = await firstRefused(db, types, tenantId, records)
    return new TransferRefused(409, `line ${lines[index]?.number}: ${problem}`, { cause: error })
  }
}

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
