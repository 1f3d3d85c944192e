/**
 * The JSON Lines form of a directory: one record in each line. Resources come first, type by type, then memberships. The
 * last line is the end record, which proves that the file is complete and unchanged.
 */
import { canBeDisabled } from '../../scim/active.ts'
import { isComplex } from '../../scim/comparison.ts'
import { ScimError, shorten } from '../../scim/error.ts'
import { parseDistinctJson } from '../../scim/json.ts'
import {
  MAX_IMPORT_LINE_CHARACTERS,
  MAX_IMPORT_TIME_MS,
  MAX_IMPORT_VERSION,
  MAX_TOKEN_LIFETIME_SECONDS,
  MIN_TOKEN_LIFETIME_SECONDS,
} from '../../scim/limits.ts'
import { PROFILES } from '../../scim/profile.ts'
import { type ExtensionSchema, extensionJson, parseExtension } from '../../scim/schema/extension.ts'
import { SchemaRefused } from '../../scim/schema/extension-members.ts'
import { showsGroups } from '../../scim/schema/resource-type.ts'
import type { ExtensionState, TenantExtension } from '../../scim/schema/tenant-extensions.ts'
import { validateResource } from '../../scim/validation.ts'
import { Work } from '../../scim/work.ts'
import { MAX_GIVEN_NAME_CHARACTERS } from '../../storage/access/clients.ts'
import type { StoredResourceType } from '../../storage/tables/resource-tables.ts'
import {
  CLIENT_KIND,
  type ClientRecord,
  type DirectoryRecord,
  MEMBERSHIP_KIND,
  type MembershipRecord,
  type ResourceRecord,
  recordKind,
  recordKinds,
} from '../../storage/transfer/export.ts'
import { TransferRefused } from './refused.ts'

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The number of records of each kind. Clients are not part of the directory and are not counted. */
export type RecordCounts = Record<string, number>

/** Counts of no records, with each kind that is counted. */
export function zeroCounts(types: readonly StoredResourceType[]): RecordCounts {
  return Object.fromEntries(recordKinds(types).map((kind) => [kind, 0]))
}

const CLIENT_ID = /^[a-z][a-z0-9-]{0,39}_[\w-]{1,64}$/

/** The last line of a file. */
export interface EndRecord {
  readonly kind: 'end'
  /** The number of records of each kind, by the plural of the kind: "users", "memberships". */
  readonly counts: Readonly<Record<string, number>>
  /** The SHA-256 of all bytes before this line, in hexadecimal: the output of `head -n -1 FILE | sha256sum`. */
  readonly sha256: string
}

/** @param sha256 of all bytes before the record, in hexadecimal */
export function endRecord(
  types: readonly StoredResourceType[],
  counts: RecordCounts,
  sha256: string,
): EndRecord {
  const plurals = pluralsOf(types).map(([kind, plural]) => [plural, counts[kind] ?? 0])
  return { kind: 'end', counts: Object.fromEntries(plurals), sha256 }
}

/** The kinds of records with their plurals, in the order of the file. */
function pluralsOf(
  types: readonly StoredResourceType[],
): readonly (readonly [kind: string, plural: string])[] {
  return [
    ...types.map((type) => [recordKind(type), type.endpoint.slice(1).toLowerCase()] as const),
    [MEMBERSHIP_KIND, 'memberships'],
  ]
}

/** An extension schema of the tenant. It comes before all resources, which may have values of it. */
export interface SchemaRecord {
  readonly kind: 'schema'
  readonly schema: ExtensionSchema
  readonly state: Exclude<ExtensionState, 'purging'>
}

/** The record of an extension; none if its values are being deleted. */
export function schemaRecords({ schema, state }: TenantExtension): readonly SchemaRecord[] {
  return state === 'purging' ? [] : [{ kind: SCHEMA, schema, state }]
}

const SCHEMA = 'schema'

export function isSchema(record: DirectoryRecord | EndRecord | SchemaRecord): record is SchemaRecord {
  return record.kind === SCHEMA
}

export function isEnd(record: DirectoryRecord | EndRecord | SchemaRecord): record is EndRecord {
  return 'sha256' in record
}

/** The line of a record, with its line break. */
export function toLine(record: DirectoryRecord | EndRecord | SchemaRecord): string {
  if (isSchema(record)) return `${JSON.stringify({ ...record, schema: extensionJson(record.schema) })}\n`
  if (!isEnd(record)) return `${JSON.stringify(record)}\n`
  const { counts, sha256 } = record
  return `${JSON.stringify({ kind: 'end', ...counts, sha256 })}\n`
}

/** The bytes of a request's body. */
export type Body = AsyncIterable<Uint8Array> | null

/**
 * Blank lines in a file. They are short, so a compressed file may have millions. A chunk of an upload holds all of those
 * before its last line, and its import reads them at once.
 */
const MAX_BLANK_LINES = 10_000

export function isBlank(line: string): boolean {
  return line.trim() === ''
}

/** The lines of a body. @throws {TransferRefused} if it is not UTF-8, is interrupted, or has a line that is too long */
export async function* linesOf(body: Body): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })
  let parts: string[] = []
  let characters = 0
  let number = 1
  let blankLines = 0
  const add = (part: string) => {
    parts.push(part)
    characters += part.length
    if (characters <= MAX_IMPORT_LINE_CHARACTERS) return
    const problem = `line ${number} is too long, the limit is ${MAX_IMPORT_LINE_CHARACTERS} characters`
    throw new TransferRefused(413, problem)
  }
  for await (const chunk of chunksOf(body)) {
    const [first = '', ...more] = decode(decoder, chunk).split('\n')
    add(first)
    for (const part of more) {
      const line = parts.join('').replace(/\r$/, '')
      if (isBlank(line) && ++blankLines > MAX_BLANK_LINES) {
        throw new TransferRefused(400, `the file has more than ${MAX_BLANK_LINES} blank lines`)
      }
      yield line
      number++
      parts = []
      characters = 0
      add(part)
    }
  }
  add(decode(decoder))
  if (characters > 0) yield parts.join('')
}

async function* chunksOf(body: Body): AsyncGenerator<Uint8Array> {
  try {
    if (body !== null) yield* body
  } catch (cause) {
    if (!(cause instanceof ScimError)) throw new TransferRefused(400, 'the body was interrupted', { cause })
    throw new TransferRefused(cause.status, cause.detail, { cause })
  }
}

/** @param chunk undefined at the end of the body, where an incomplete character is an error */
function decode(decoder: InstanceType<typeof TextDecoder>, chunk?: Uint8Array): string {
  try {
    return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true })
  } catch (cause) {
    const problem = chunk === undefined ? 'ends inside a character' : 'is not UTF-8'
    throw new TransferRefused(400, `the body ${problem}`, { cause })
  }
}

/** A parsed line. */
interface Line {
  readonly number: number
  readonly record: Readonly<Record<string, unknown>>
}

/**
 * @param types the resource types with the extensions of the tenant
 * @param shipped the resource types without them
 * @throws {TransferRefused} with the line, the field, the value found and the values allowed
 */
export function parseLine(
  text: string,
  number: number,
  types: readonly StoredResourceType[],
  shipped: readonly StoredResourceType[],
): DirectoryRecord | EndRecord | SchemaRecord {
  const line = { number, record: parseObject(text, number) }
  const { kind } = line.record
  if (kind === MEMBERSHIP_KIND) return membershipRecord(line, types)
  if (kind === CLIENT_KIND) return clientRecord(line)
  if (kind === 'end') return parseEnd(line, types)
  if (kind === SCHEMA) return schemaRecord(line, shipped)
  const type = types.find((candidate) => recordKind(candidate) === kind)
  if (type !== undefined) return resourceRecord(line, type)
  throw invalid(line, 'kind', oneOf([...recordKinds(types), CLIENT_KIND, SCHEMA, 'end']))
}

/** `"a", "b" or "c"` */
function oneOf(names: readonly string[]): string {
  const quoted = names.map((name) => `"${name}"`)
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`
}

function parseObject(text: string, number: number): Line['record'] {
  let record: unknown
  try {
    record = parseDistinctJson(text, `line ${number}`)
  } catch (cause) {
    throw new TransferRefused(400, (cause as ScimError).detail, { cause })
  }
  if (isComplex(record)) return record
  throw new TransferRefused(400, `line ${number} must be a JSON object`)
}

function schemaRecord(line: Line, shipped: readonly StoredResourceType[]): SchemaRecord {
  onlyFields(line, ['kind', 'schema', 'state'])
  const { state } = line.record
  if (state !== 'active' && state !== 'removed') throw invalid(line, 'state', oneOf(['active', 'removed']))
  try {
    return { kind: SCHEMA, schema: parseExtension(line.record.schema, shipped), state }
  } catch (error) {
    if (error instanceof SchemaRefused) throw problemIn(line, error.message, 'schema', { cause: error })
    throw error
  }
}

function resourceRecord(line: Line, type: StoredResourceType): ResourceRecord {
  onlyFields(line, ['kind', 'id', 'version', 'createdAt', 'lastModified', 'resource'])
  return {
    kind: recordKind(type),
    id: uuid(line, 'id'),
    version: integer(line, 'version', 1, MAX_IMPORT_VERSION),
    createdAt: integer(line, 'createdAt', 0, MAX_IMPORT_TIME_MS),
    lastModified: integer(line, 'lastModified', 0, MAX_IMPORT_TIME_MS),
    resource: resourceOf(line, type),
  }
}

/**
 * Checks a resource as it would be checked in a client's write. Unknown attributes are refused too, because an import that
 * drops data would look complete.
 */
function resourceOf(line: Line, type: StoredResourceType): ResourceRecord['resource'] {
  const problem = (text: string) => problemIn(line, text, 'resource')
  const { resource, ignored } = validated(line, type)
  if (ignored.length > 0) throw problem(`"resource" has unknown attributes: ${named(ignored)}`)
  const sent = line.record.resource as object
  const { references } = type
  // The groups of a user are read-only, so validation has removed them; the line is still refused.
  if (references !== undefined && references in (showsGroups(type) ? sent : resource)) {
    throw problem(
      `attribute "${references}" is not allowed: write a line of the kind "membership" for each value`,
    )
  }
  // A missing value must not give access.
  if (!canBeDisabled(type) || typeof resource.active === 'boolean') return resource
  throw problem('attribute "active" must be true or false, found nothing')
}

/** The first five names, and the number of the others. */
function named(attributes: readonly string[]): string {
  const shown = attributes.slice(0, 5).map((name) => shorten(name))
  return [...shown, ...(attributes.length > 5 ? [`and ${attributes.length - 5} more`] : [])].join(', ')
}

function validated(line: Line, type: StoredResourceType) {
  try {
    // A line is not a client's request, so the profile of the tenant does not apply.
    return validateResource(line.record.resource, { type, profile: PROFILES.tolerant, work: new Work() })
  } catch (error) {
    if (error instanceof ScimError) throw problemIn(line, error.detail, 'resource', { cause: error })
    throw error
  }
}

function membershipRecord(line: Line, types: readonly StoredResourceType[]): MembershipRecord {
  onlyFields(line, ['kind', 'groupId', 'memberId', 'memberType'])
  const { memberType } = line.record
  const allowed = types.filter(({ isMember }) => isMember).map(({ name }) => name)
  if (typeof memberType !== 'string' || !allowed.includes(memberType)) {
    throw invalid(line, 'memberType', oneOf(allowed))
  }
  return {
    kind: MEMBERSHIP_KIND,
    groupId: uuid(line, 'groupId'),
    memberId: uuid(line, 'memberId'),
    memberType,
  }
}

function clientRecord(line: Line): ClientRecord {
  onlyFields(line, ['kind', 'clientId', 'name', 'scope', 'createdAt', 'tokenLifetime'])
  const { clientId, name, scope } = line.record
  if (typeof clientId !== 'string' || !CLIENT_ID.test(clientId)) {
    throw invalid(line, 'clientId', 'the id of a tenant, "_", and 1 to 64 letters, digits, "-" or "_"')
  }
  if (typeof name !== 'string' || !isName(name)) {
    throw invalid(line, 'name', `a text of 1 to ${MAX_GIVEN_NAME_CHARACTERS} characters`)
  }
  if (scope !== 'provision' && scope !== 'read') throw invalid(line, 'scope', '"provision" or "read"')
  const createdAt = integer(line, 'createdAt', 0, MAX_IMPORT_TIME_MS)
  const client = { kind: CLIENT_KIND, clientId, name, scope, createdAt } as const
  if (line.record.tokenLifetime === undefined) return client
  const [least, most] = [MIN_TOKEN_LIFETIME_SECONDS, MAX_TOKEN_LIFETIME_SECONDS]
  return { ...client, tokenLifetime: integer(line, 'tokenLifetime', least, most) }
}

/** Earlier versions accepted names of several lines. */
function isName(text: string): boolean {
  const { length } = text.trim()
  return length > 0 && length <= MAX_GIVEN_NAME_CHARACTERS && text.isWellFormed()
}

function parseEnd(line: Line, types: readonly StoredResourceType[]): EndRecord {
  const plurals = pluralsOf(types).map(([, plural]) => plural)
  onlyFields(line, ['kind', ...plurals, 'sha256'])
  const { sha256 } = line.record
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) {
    throw invalid(line, 'sha256', '64 hexadecimal digits in lower case')
  }
  const counts = plurals.map((plural) => [plural, integer(line, plural, 0, Number.MAX_SAFE_INTEGER)])
  return { kind: 'end', counts: Object.fromEntries(counts), sha256 }
}

function onlyFields(line: Line, fields: readonly string[]): void {
  const unknown = Object.keys(line.record).find((field) => !fields.includes(field))
  if (unknown === undefined) return
  throw problemIn(line, `unknown field "${unknown.slice(0, 100)}", the fields are ${fields.join(', ')}`)
}

function integer(line: Line, field: string, least: number, most: number): number {
  const value = line.record[field]
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  throw invalid(line, field, `a whole number from ${least} to ${most}`)
}

function uuid(line: Line, field: string): string {
  const value = line.record[field]
  if (typeof value === 'string' && UUID.test(value)) return value
  throw invalid(line, field, 'a UUID in lower case')
}

function invalid(line: Line, field: string, expected: string): TransferRefused {
  const value = line.record[field]
  const found = value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 100)
  return problemIn(line, `"${field}" must be ${expected}, found ${found}`, field)
}

function problemIn(
  { number }: Line,
  problem: string,
  field?: string,
  options?: ErrorOptions,
): TransferRefused {
  return new TransferRefused(400, `line ${number}: ${problem}`, { ...options, field })
}
