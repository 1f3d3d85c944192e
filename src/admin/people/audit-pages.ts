/** Reads the audit trail from the first database. */
import type { Context } from 'hono'
import type { HttpEnv } from '../../runtime.ts'
import {
  type AuditCause,
  type AuditEntry,
  type AuditPage,
  auditCauseQuery,
  auditPageQuery,
  MAX_LOOKED_AT,
  streamAudit,
} from '../../storage/administrators/audit-trail.ts'
import { type Page, readTogether } from '../../storage/database/query.ts'
import { administrationDatabase } from '../database.ts'
import { operationName } from './audit-text.ts'

type AuditContext = Pick<Context<HttpEnv>, 'env' | 'get'>

/** The entries that are asked for. */
export interface AuditSearch extends Pick<AuditPage, 'tenantId' | 'to'> {
  /** Without regard to case; undefined for all entries. */
  readonly text?: string | undefined
}

export interface FoundEntries extends Page<AuditEntry, number> {
  /** The time of the last entry that was looked at, if older ones may have the text. */
  readonly lookedTo?: number | undefined
}

/** A page of the audit trail, newest entry first. For a text, at most MAX_LOOKED_AT entries are looked at. */
export async function auditPageOf(
  c: AuditContext,
  { text, size, ...page }: AuditSearch & AuditPage,
): Promise<FoundEntries> {
  const db = administrationDatabase(c, c.get('figures'))
  const isSearch = text !== undefined
  const read = auditPageQuery({ ...page, size: isSearch ? MAX_LOOKED_AT : size })
  const looked = (await readTogether(db, { read })).read
  if (!isSearch) return looked
  const found = looked.items.filter(matcherOf(text))
  if (found.length > size) return { items: found.slice(0, size), next: found[size - 1]?.seq }
  const lookedTo = looked.next === undefined ? undefined : looked.items.at(-1)?.time
  return { items: found, next: looked.next, lookedTo }
}

/** Whether an entry has the text in its names, its ids or its reason. */
function matcherOf(text: string): (entry: AuditEntry) => boolean {
  const wanted = text.toLowerCase()
  return ({ administrator, operation, tenantId, target, detail, requestId }) =>
    [administrator, operation, operationName(operation), tenantId, target, detail, requestId].some((one) =>
      one?.toLowerCase().includes(wanted),
    )
}

/** A page with the entry of what made a change, or an empty one. */
export async function auditCauseOf(c: AuditContext, cause: AuditCause): Promise<FoundEntries> {
  const db = administrationDatabase(c, c.get('figures'))
  const { entry } = await readTogether(db, { entry: auditCauseQuery(cause) })
  return { items: entry === undefined ? [] : [entry], next: undefined }
}

/** All entries that are asked for, newest first. */
export async function* auditStreamOf(
  c: AuditContext,
  { text, ...search }: AuditSearch,
): ReturnType<typeof streamAudit> {
  const matches = text === undefined ? () => true : matcherOf(text)
  for await (const entries of streamAudit(administrationDatabase(c, c.get('figures')), search))
    yield entries.filter(matches)
}
