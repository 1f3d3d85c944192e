/**
 * A directory as JSON Lines: users before groups before memberships, one record a line, and a last line that proves
 * that all others are there, as they were written.
 */
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { isComplex } from '../scim/comparison.ts'
import { ScimError, shorten } from '../scim/error.ts'
import { parseJson } from '../scim/json.ts'
import { MAX_IMPORT_LINE_CHARACTERS, MAX_IMPORT_TIME_MS, MAX_IMPORT_VERSION } from '../scim/limits.ts'
import { PROFILES } from '../scim/profile.ts'
import { GROUP_RESOURCE_TYPE, USER_RESOURCE_TYPE } from '../scim/schema/resource-type.ts'
import { validateResource } from '../scim/validation.ts'
import { Work } from '../scim/work.ts'
import type { DirectoryRecord, MembershipRecord, ResourceRecord } from '../storage/transfer.ts'
import { AdminError } from './errors.ts'

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** How many records of each kind there are. */
export type RecordCounts = Record<DirectoryRecord['kind'], number>

/** The last line. */
export interface EndRecord {
  readonly kind: 'end'
  readonly users: number
  readonly groups: number
  readonly memberships: number
  /** Of all bytes before this line, hexadecimal: `head -n -1 FILE | sha256sum` gives the same. */
  readonly sha256: string
}

export function endRecord({ user, group, membership }: RecordCounts, sha256: string): EndRecord {
  return { kind: 'end', users: user, groups: group, memberships: membership, sha256 }
}

export function toLine(record: DirectoryRecord | EndRecord): string {
  return `${JSON.stringify(record)}\n`
}

/** The bytes of a request. */
export type Body = AsyncIterable<Uint8Array> | null

/** The lines of a body. @throws {AdminError} when it is not UTF-8, breaks off, or has a line that is too long */
export async function* linesOf(body: Body): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })
  let parts: string[] = []
  let characters = 0
  let number = 1
  const add = (part: string) => {
    parts.push(part)
    characters += part.length
    if (characters <= MAX_IMPORT_LINE_CHARACTERS) return
    const found = `line ${number} has more than ${MAX_IMPORT_LINE_CHARACTERS} characters`
    throw new AdminError(413, 'tooLarge', `${found}, the most that a line may have`)
  }
  for await (const chunk of chunksOf(body)) {
    const [first = '', ...more] = decode(decoder, chunk).split('\n')
    add(first)
    for (const part of more) {
      yield parts.join('').replace(/\r$/, '')
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
    if (!(cause instanceof ScimError))
      throw new AdminError(400, 'invalid', 'the body broke off', undefined, { cause })
    throw new AdminError(cause.status as ContentfulStatusCode, 'invalid', cause.detail, undefined, { cause })
  }
}

/** @param chunk undefined at the end, where no character may be open */
function decode(decoder: TextDecoder, chunk?: Uint8Array): string {
  try {
    return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true })
  } catch (cause) {
    const problem = chunk === undefined ? 'ends inside a character' : 'is not UTF-8'
    throw new AdminError(400, 'invalid', `the body ${problem}`, undefined, { cause })
  }
}

/** A line that was read. */
interface Line {
  readonly number: number
  readonly record: Readonly<Record<string, unknown>>
}

/** @throws {AdminError} naming the line, the field, what was found and what is allowed */
export function parseLine(text: string, number: number): DirectoryRecord | EndRecord {
  const line = { number, record: parseObject(text, number) }
  switch (line.record.kind) {
    case 'user':
    case 'group':
      return resourceRecord(line, line.record.kind)
    case 'membership':
      return membershipRecord(line)
    case 'end':
      return parseEnd(line)
    default:
      throw invalid(line, 'kind', '"user", "group", "membership" or "end"')
  }
}

function parseObject(text: string, number: number): Line['record'] {
  let record: unknown
  try {
    record = parseJson(text, `line ${number}`)
  } catch (cause) {
    throw new AdminError(400, 'invalid', (cause as ScimError).detail, undefined, { cause })
  }
  if (isComplex(record)) return record
  throw new AdminError(400, 'invalid', `line ${number} must be a JSON object`)
}

function resourceRecord(line: Line, kind: ResourceRecord['kind']): ResourceRecord {
  onlyFields(line, ['kind', 'id', 'version', 'createdAt', 'lastModified', 'resource'])
  return {
    kind,
    id: uuid(line, 'id'),
    version: integer(line, 'version', 1, MAX_IMPORT_VERSION),
    createdAt: integer(line, 'createdAt', 0, MAX_IMPORT_TIME_MS),
    lastModified: integer(line, 'lastModified', 0, MAX_IMPORT_TIME_MS),
    resource: resourceOf(line, kind),
  }
}

/**
 * Checked as a client's write, and what a write may leave out or is not understood is refused: an import that drops
 * something would be taken for whole.
 */
function resourceOf(line: Line, kind: ResourceRecord['kind']): ResourceRecord['resource'] {
  const problem = (text: string) => problemIn(line, text, 'resource')
  const { resource, ignored } = validated(line, kind)
  if (ignored.length > 0) throw problem(`"resource" has unknown attributes: ${named(ignored)}`)
  const sent = line.record.resource as object
  if (kind === 'group') {
    if (!('members' in resource)) return resource
    throw problem('attribute "members" must be lines of the kind "membership"')
  }
  if ('groups' in sent) throw problem('attribute "groups" must be lines of the kind "membership"')
  // Access is not given by leaving something out.
  if (typeof resource.active === 'boolean') return resource
  throw problem('attribute "active" must be true or false, found nothing')
}

/** The first of them, as far as a message goes. */
function named(attributes: readonly string[]): string {
  const shown = attributes.slice(0, 5).map((name) => shorten(name))
  return [...shown, ...(attributes.length > 5 ? [`and ${attributes.length - 5} more`] : [])].join(', ')
}

function validated(line: Line, kind: ResourceRecord['kind']) {
  const type = kind === 'user' ? USER_RESOURCE_TYPE : GROUP_RESOURCE_TYPE
  try {
    // A line is no client's request, so the profile of the tenant says nothing of it.
    return validateResource(line.record.resource, { type, profile: PROFILES.tolerant, work: new Work() })
  } catch (error) {
    if (error instanceof ScimError) throw problemIn(line, error.detail, 'resource', { cause: error })
    throw error
  }
}

function membershipRecord(line: Line): MembershipRecord {
  onlyFields(line, ['kind', 'groupId', 'memberId', 'memberType'])
  const { memberType } = line.record
  if (memberType !== 'User' && memberType !== 'Group') throw invalid(line, 'memberType', '"User" or "Group"')
  return {
    kind: 'membership',
    groupId: uuid(line, 'groupId'),
    memberId: uuid(line, 'memberId'),
    memberType,
  }
}

function parseEnd(line: Line): EndRecord {
  onlyFields(line, ['kind', 'users', 'groups', 'memberships', 'sha256'])
  const count = (field: 'users' | 'groups' | 'memberships') =>
    integer(line, field, 0, Number.MAX_SAFE_INTEGER)
  const { sha256 } = line.record
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) {
    throw invalid(line, 'sha256', '64 hexadecimal digits in lower case')
  }
  return {
    kind: 'end',
    users: count('users'),
    groups: count('groups'),
    memberships: count('memberships'),
    sha256,
  }
}

function onlyFields(line: Line, fields: readonly string[]): void {
  const unknown = Object.keys(line.record).find((field) => !fields.includes(field))
  if (unknown === undefined) return
  throw problemIn(line, `"${unknown.slice(0, 100)}" is not a field of it; it has ${fields.join(', ')}`)
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

function invalid(line: Line, field: string, expected: string): AdminError {
  const value = line.record[field]
  const found = value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 100)
  return problemIn(line, `"${field}" must be ${expected}, found ${found}`, field)
}

function problemIn({ number }: Line, problem: string, field?: string, options?: ErrorOptions): AdminError {
  return new AdminError(400, 'invalid', `line ${number}: ${problem}`, field, options)
}
