/**
 * Export and import of a tenant's directory as JSON Lines: one record a line, users before groups before
 * memberships. Both stream, so a directory of any size fits.
 */
import { type Context, Hono } from 'hono'
import type { HttpEnv } from '../runtime.ts'
import { isComplex } from '../scim/comparison.ts'
import { ScimError } from '../scim/error.ts'
import { MAX_NESTED_MEMBERSHIPS } from '../scim/limits.ts'
import { GROUP_RESOURCE_TYPE, USER_RESOURCE_TYPE } from '../scim/schema/resource-type.ts'
import { validateResource } from '../scim/validation.ts'
import { GuardError, UniqueError } from '../storage/database.ts'
import { getTenant } from '../storage/tenants.ts'
import { type DirectoryRecord, exportDirectory, importRecords } from '../storage/transfer.ts'
import { AdminError } from './errors.ts'

const JSON_LINES = 'application/jsonl'
/** Records in one batch, and characters: the list travels as one parameter, which has a limit; so have batches. */
const BATCH_RECORDS = 2_500
const BATCH_CHARACTERS = 400_000
/** A line holds one resource, which the database holds in one row. */
const MAX_LINE_CHARACTERS = 2_000_000
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Routes below /admin/api/tenants/:id. */
export const transfer = new Hono<HttpEnv>()
  .get('/tenants/:id/export', async (c) => {
    const { id } = await requireTenant(c)
    const records = exportDirectory(c.get('db'), id)
    return c.body(streamLines(records), 200, {
      'Content-Type': JSON_LINES,
      'Content-Disposition': `attachment; filename="${id}.jsonl"`,
    })
  })
  .post('/tenants/:id/import', async (c) => {
    const tenant = await requireTenant(c)
    if (tenant.userCount > 0 || tenant.groupCount > 0) {
      const found = `${tenant.userCount} users and ${tenant.groupCount} groups`
      throw new AdminError(409, 'conflict', `an import needs an empty tenant; "${tenant.id}" holds ${found}`)
    }
    return c.json({ imported: await importLines(c, tenant.id) })
  })

async function requireTenant(c: Context<HttpEnv>) {
  const id = c.req.param('id') ?? ''
  const tenant = await getTenant(c.get('db'), id)
  if (tenant === undefined) throw new AdminError(404, 'notFound', `there is no tenant "${id}"`)
  return tenant
}

/** Reads a page when the client is ready for it. */
function streamLines(pages: AsyncGenerator<readonly DirectoryRecord[]>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await pages.next()
      if (done) controller.close()
      else controller.enqueue(encoder.encode(value.map((record) => `${JSON.stringify(record)}\n`).join('')))
    },
    async cancel() {
      await pages.return(undefined)
    },
  })
}

/** @returns how many records of each kind were written @throws {AdminError} naming the line */
async function importLines(c: Context<HttpEnv>, tenantId: string) {
  const counts = { user: 0, group: 0, membership: 0 }
  let batch: DirectoryRecord[] = []
  let characters = 0
  let number = 0
  const flush = async () => {
    await writeBatch(c, tenantId, batch, number)
    for (const { kind } of batch) counts[kind]++
    batch = []
    characters = 0
  }
  for await (const line of linesOf(c.req.raw.body)) {
    number++
    if (line.trim() === '') continue
    if (batch.length >= BATCH_RECORDS || characters + line.length > BATCH_CHARACTERS) await flush()
    batch.push(parseRecord(line, number))
    characters += line.length
  }
  await flush()
  return counts
}

async function* linesOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<string> {
  if (body === null) return
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })
  let rest = ''
  for await (const chunk of body) {
    const lines = `${rest}${decode(decoder, chunk)}`.split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > MAX_LINE_CHARACTERS) throw new AdminError(413, 'tooLarge', 'a line is too long')
    yield* lines
  }
  yield rest
}

function decode(decoder: TextDecoder, chunk: Uint8Array): string {
  try {
    return decoder.decode(chunk, { stream: true })
  } catch (cause) {
    throw new AdminError(400, 'invalid', `the body is no UTF-8: ${(cause as Error).message}`)
  }
}

function parseRecord(line: string, number: number): DirectoryRecord {
  const invalid = (problem: string) => new AdminError(400, 'invalid', `line ${number}: ${problem}`)
  let record: unknown
  try {
    record = JSON.parse(line)
  } catch (cause) {
    throw invalid(`no JSON (${(cause as Error).message})`)
  }
  if (!isComplex(record)) throw invalid('a record must be a JSON object')
  if (record.kind === 'membership') return membershipRecord(record, invalid)
  if (record.kind === 'user' || record.kind === 'group') return resourceRecord(record, record.kind, invalid)
  throw invalid('"kind" must be "user", "group" or "membership"')
}

type Invalid = (problem: string) => AdminError

function membershipRecord(record: Readonly<Record<string, unknown>>, invalid: Invalid): DirectoryRecord {
  const { groupId, memberId, memberType } = record
  if (memberType !== 'User' && memberType !== 'Group') throw invalid('"memberType" must be "User" or "Group"')
  return {
    kind: 'membership',
    groupId: uuid(groupId, 'groupId', invalid),
    memberId: uuid(memberId, 'memberId', invalid),
    memberType,
  }
}

function resourceRecord(
  record: Readonly<Record<string, unknown>>,
  kind: 'user' | 'group',
  invalid: Invalid,
): DirectoryRecord {
  const count = (name: string) => {
    const value = record[name]
    if (Number.isSafeInteger(value) && Number(value) >= 0) return Number(value)
    throw invalid(`"${name}" must be a whole number`)
  }
  const type = kind === 'user' ? USER_RESOURCE_TYPE : GROUP_RESOURCE_TYPE
  try {
    const { resource } = validateResource(record.resource, type)
    const times = { createdAt: count('createdAt'), lastModified: count('lastModified') }
    return { kind, id: uuid(record.id, 'id', invalid), version: count('version'), ...times, resource }
  } catch (error) {
    if (error instanceof ScimError) throw invalid(error.detail)
    throw error
  }
}

function uuid(value: unknown, name: string, invalid: Invalid): string {
  if (typeof value === 'string' && UUID.test(value)) return value
  throw invalid(`"${name}" must be a UUID in lower case`)
}

/** @param upTo the last line of the batch: what was written before it stays, so a new try needs an empty tenant */
async function writeBatch(
  c: Context<HttpEnv>,
  tenantId: string,
  batch: readonly DirectoryRecord[],
  upTo: number,
) {
  try {
    await importRecords(c.get('db'), tenantId, batch)
  } catch (error) {
    const problem = problemOf(error)
    if (problem === undefined) throw error
    const where = `lines ${upTo - batch.length} to ${upTo}`
    throw new AdminError(409, 'conflict', `${where}: ${problem}; delete the tenant and begin again`)
  }
}

function problemOf(error: unknown): string | undefined {
  if (error instanceof UniqueError) return `a value is there already (${error.columns})`
  if (error instanceof ScimError) return error.detail
  if (!(error instanceof GuardError)) return undefined
  if (error.rule === 'group limit') return 'the group limit of the tenant is reached: raise it first'
  if (error.rule === 'nested groups') {
    return `a tenant may hold ${MAX_NESTED_MEMBERSHIPS} memberships of groups in groups, and the file holds more`
  }
  return 'a membership names a user or a group that is not there'
}
