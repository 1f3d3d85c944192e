/**
 * Resources as rows, the same for all tables of resources.
 */
import { type Placeholder, type SQL, sql } from 'drizzle-orm'
import { isActive } from '../../scim/active.ts'
import { type Complex, comparisonDocument, isComplex } from '../../scim/comparison.ts'
import { badRequest } from '../../scim/error.ts'
import { MAX_FOLDED_CHARACTERS } from '../../scim/limits.ts'
import type { Member } from '../../scim/patch/members.ts'
import type { ResourceType } from '../../scim/schema/definition.ts'
import { matchedVersions, type Preconditions } from '../../scim/version.ts'
import { charactersBeyondAscii, type Work } from '../../scim/work.ts'
import { MAX_ROW_BYTES, type Row, type SqlValue, type Statement, statement } from '../database/database.ts'
import { indexColumn, type ResourceTable, type StoredResourceType } from './resource-tables.ts'
import { WORDS_KEY, wordsOfDocument } from './words.ts'

/** A resource as it is stored. Times in milliseconds since 1970. */
export interface Stored {
  readonly id: string
  readonly version: number
  readonly createdAt: number
  readonly lastModified: number
  /** In canonical form, without id and meta; with groups or members if they were asked for. */
  readonly resource: Complex
}

/** The part of a resource that is not in its document: its groups as JSON text, or its members. */
export interface References {
  /** As groupsOfResource returns them. */
  readonly groups?: string
  readonly members?: readonly Member[]
}

/**
 * A resource as it was read. Its JSON is parsed at the first access, because most resources are only passed on.
 * `json` is not a plain property, so a copy with another `resource` does not carry the old text along.
 */
export class StoredRow implements Stored {
  readonly id: string
  readonly version: number
  readonly createdAt: number
  readonly lastModified: number
  /** Undefined if they were not read. */
  readonly sources: Sources | undefined
  readonly references: References
  readonly #json: string
  #resource: Complex | undefined
  #key: string | undefined
  #end: { readonly tenantUrl: string; readonly json: string } | undefined

  /** @param row holds storedColumns, and sourceColumns if needed */
  constructor(row: Row, references: References = {}) {
    this.id = String(row.id)
    this.version = Number(row.version)
    this.createdAt = Number(row.createdAt)
    this.lastModified = Number(row.lastModified)
    this.sources = row.createdBy === undefined ? undefined : sourcesOf(row)
    this.#json = String(row.data)
    this.references = references
  }

  get resource(): Complex {
    this.#resource ??= this.parse()
    return this.#resource
  }

  /** The same, for one answer: what is parsed takes several times the memory of its text, which may be remembered for long. */
  parse(): Complex {
    const { groups, members } = this.references
    const resource = JSON.parse(this.#json) as Complex
    if (groups !== undefined) resource.groups = JSON.parse(groups)
    if (members !== undefined) resource.members = members
    return resource
  }

  /** The resource as JSON text, without its references. */
  get json(): string {
    return this.#json
  }

  /** See storedKey. A resource that is read again has the same text, whose hash is known. */
  keyIn(tenantId: string, table: Pick<ResourceTable, 'name'>): string {
    this.#key ??= storedKey(tenantId, table, this.id)
    return this.#key
  }

  /** The end of the answer with the resource, made once for a Tenant URL. @param make its only caller's function */
  endFor(tenantUrl: string, make: () => string): string {
    if (this.#end?.tenantUrl !== tenantUrl) this.#end = { tenantUrl, json: make() }
    return this.#end.json
  }
}

/** What no other stored resource has in common with this one. */
export function storedKey(tenantId: string, { name }: Pick<ResourceTable, 'name'>, id: string): string {
  return `${tenantId} ${name} ${id}`
}

/** The columns of a stored resource, for a SELECT from its table. */
export function storedColumns({ name: table }: Pick<ResourceTable, 'name'>): SQL {
  const column = (name: string) => sql.raw(`${table}.${name}`)
  return sql`${column('id')} AS id, ${column('version')} AS version, ${column('created_at')} AS createdAt,
    ${column('last_modified')} AS lastModified, ${column('data')} AS data`
}

/** The clients that created a resource and that wrote it last; null for an administrator, an import, or unknown. */
export interface Sources {
  readonly createdBy: string | null
  readonly modifiedBy: string | null
}

function sourcesOf({ createdBy = null, modifiedBy = null }: Row): Sources {
  return {
    createdBy: createdBy === null ? null : String(createdBy),
    modifiedBy: modifiedBy === null ? null : String(modifiedBy),
  }
}

/** The columns of `Sources`, for a SELECT from its table. */
export function sourceColumns({ name: table }: Pick<ResourceTable, 'name'>): SQL {
  return sql.raw(`${table}.created_by AS createdBy, ${table}.modified_by AS modifiedBy`)
}

/** The client of an admitted token, as a value. */
export function clientOfToken(tokenHash: SqlValue | Placeholder): SQL {
  return sql`(SELECT client_id FROM tokens WHERE hash = ${tokenHash})`
}

/** The two documents of a row as JSON: the resource and its comparison document. */
export interface Documents {
  readonly data: string
  readonly keys: string
}

/**
 * The documents of a resource.
 *
 * @param from.before the resource before the change, which may have been stored before limits existed; the resource itself
 *   if the server has it already, and only stores it again
 * @param from.work of the request
 * @param from.count counts the work of the document, before its comparison document is made, which takes longest
 * @throws {ScimError} invalidValue when the row would exceed the limit of the database, or takes too long to fold; as `count`
 */
export function encodeResource(
  resource: Complex,
  type: StoredResourceType,
  {
    before,
    work,
    count,
  }: {
    readonly before?: Complex | undefined
    readonly work?: Work | undefined
    readonly count?: (data: string) => void
  } = {},
): Documents {
  const data = JSON.stringify(inSchemaOrder(resource, type))
  count?.(data)
  const folded = charactersBeyondAscii(data)
  if (folded > MAX_FOLDED_CHARACTERS) requireFewFolded(folded, before, type)
  const document = comparisonKeys(resource, type, work?.unlimited())
  const keys = JSON.stringify(document)
  // A UTF-16 unit takes at most three bytes, so most documents need not be measured.
  if ((data.length + keys.length) * 3 > MAX_DOCUMENT_BYTES) {
    // Without the words, so that a resource that was stored without them can be changed, and disabled.
    const size = byteLength(data) + byteLength(JSON.stringify({ ...document, [WORDS_KEY]: undefined }))
    const isDisabled = before !== undefined && isActive(before) && !isActive(resource)
    requireSize(size, isDisabled ? MAX_DOCUMENT_BYTES + MAX_BYTES_TO_DISABLE : MAX_DOCUMENT_BYTES, type)
  }
  return { data, keys }
}

/** The comparison document, with an additional key for each index of the tenant, and one for the words: see directory-tables.ts. */
function comparisonKeys(
  resource: Complex,
  { storedAttributes, indexes, table: { texts } }: StoredResourceType,
  work: Work | undefined,
): Complex {
  const keys = comparisonDocument(resource, storedAttributes, work)
  for (const { path, slot } of indexes) {
    const [urn, name] = path
    const extension = keys[urn]
    const key = isComplex(extension) ? extension[name] : undefined
    if (key !== undefined) keys[indexColumn(slot)] = key
  }
  if (texts !== undefined) keys[WORDS_KEY] = wordsOfDocument(keys, texts)
  return keys
}

/** The stored document is what clients see: "schemas" first, then the attributes in the order of the schema. */
function inSchemaOrder(resource: Complex, { storedAttributes }: ResourceType): Complex {
  const ordered: Complex = {}
  for (const { name } of storedAttributes) if (resource[name] !== undefined) ordered[name] = resource[name]
  return ordered
}

// The words take at most 8 KiB. The other columns are small: ids, times and names that are in both documents already.
const MAX_DOCUMENT_BYTES = MAX_ROW_BYTES * 0.9

/** Both documents get this value. A user of the largest size can be disabled. */
const MAX_BYTES_TO_DISABLE = 2 * '"active":false,'.length

function requireSize(bytes: number, limit: number, type: ResourceType): void {
  if (bytes <= limit) return
  throw badRequest('invalidValue', `the ${type.name} would need ${bytes} bytes, ${limit} are allowed`)
}

/** @throws {ScimError} invalidValue unless the resource had as many before */
function requireFewFolded(characters: number, before: Complex | undefined, { name }: ResourceType): void {
  if (before !== undefined && charactersBeyondAscii(JSON.stringify(before)) >= characters) return
  throw badRequest(
    'invalidValue',
    `the ${name} would have ${characters} characters beyond ASCII, the limit is ${MAX_FOLDED_CHARACTERS}`,
  )
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length
}

/** Ends the batch if the previous statement changed nothing: another writer changed the resource first. */
export const STALE_GUARD: Statement = statement(
  sql`INSERT INTO guards (rule) SELECT 'stale' WHERE changes() <> 1`,
)

/** A deletion in SQL. */
export interface DeletedResource {
  /** What it takes from the type is the same in every tenant. */
  readonly type: StoredResourceType
  /** The condition that the row `gone` of its table is deleted. */
  readonly isWanted: SQL
}

/** The versions that preconditions allow: JSON arrays. */
export interface AllowedVersions {
  /** Null: all. */
  readonly matched: string | null
  readonly excluded: string
}

/** @returns undefined if there are no preconditions @throws {ScimError} as matchedVersions */
export function allowedVersions({ ifMatch, ifNoneMatch }: Preconditions): AllowedVersions | undefined {
  if (ifMatch === undefined && ifNoneMatch === undefined) return undefined
  const matched = matchedVersions(ifMatch)
  if (ifNoneMatch === undefined)
    return { matched: matched === undefined ? null : JSON.stringify(matched), excluded: '[]' }
  const excluded = matchedVersions(ifNoneMatch)
  // "If-None-Match: *" excludes every version.
  if (excluded === undefined) return { matched: '[]', excluded: '[]' }
  return {
    matched: matched === undefined ? null : JSON.stringify(matched),
    excluded: JSON.stringify(excluded),
  }
}

/** The condition that a version is allowed. */
export function isAllowedVersion(
  version: SQL,
  { matched, excluded }: Readonly<Record<keyof AllowedVersions, Placeholder>>,
): SQL {
  return sql`(${matched} IS NULL OR ${version} IN (SELECT value FROM json_each(${matched})))
    AND ${version} NOT IN (SELECT value FROM json_each(${excluded}))`
}
