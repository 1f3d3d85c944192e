/**
 * The audit trail of administrators, in the first database.
 */
import { type SQL, sql } from 'drizzle-orm'
import { MINUTE_MS } from '../../scim/duration.ts'
import { type Database, type Statement, statement } from '../database/database.ts'
import { type Page, pageOfItems, type Query, readTogether } from '../database/query.ts'
import { selection } from '../tables/selection.ts'
import { auditTrail } from '../tables/tables.ts'

const ENTRY = selection(auditTrail, [
  'seq',
  'time',
  'administrator',
  'via',
  'operation',
  'source',
  'tenantId',
  'target',
  'outcome',
  'status',
  'detail',
  'changes',
  'requestId',
  'repeated',
])

/** An entry. Times in milliseconds since 1970; `changes` is JSON: see FieldChange. */
export type AuditEntry = ReturnType<typeof ENTRY.fromRow>

export type NewAuditEntry = Omit<AuditEntry, 'seq' | 'repeated'>

/** A field that was sent or changed. Long values are cut. */
export interface FieldChange {
  readonly field: string
  /** Left out if it is not known. */
  readonly before?: string | number | boolean | null
  readonly after: string | number | boolean | null
}

/** What a handler tells about its request. */
export interface AuditNote {
  /** The id of what was created, changed or ended. */
  readonly target?: string
  /** By field. */
  readonly changes?: Readonly<Record<string, FieldChange>>
}

/**
 * Stores an entry. Refused requests of one kind within a minute share an entry, so that trying often displaces nothing.
 *
 * @param begun the key of the entry that may have been stored with the first write of the request: see `beginningAudit`
 */
export async function insertAuditEntry(db: Database, entry: NewAuditEntry, begun?: string): Promise<void> {
  const { time, administrator, via, operation, tenantId, target, outcome, status, detail, changes } = entry
  const kind = [Math.floor(time / MINUTE_MS), operation, status, tenantId, via, administrator]
  const insert = insertion(entry, outcome === 'refused' ? JSON.stringify(kind) : null, begun)
  if (begun === undefined) {
    await db.batch([insert])
    return
  }
  const complete = sql`UPDATE audit_trail SET tenant_id = ${tenantId}, target = ${target}, outcome = ${outcome}, status = ${status},
    detail = ${detail}, changes = ${changes}, fold_key = NULL WHERE fold_key = ${begun}`
  await db.batch([insert, statement(complete)])
}

/** @param unless the key of an entry of the same request, beside which nothing is inserted */
function insertion(entry: NewAuditEntry, foldKey: string | null, unless?: string): Statement {
  const { time, administrator, via, operation, source, tenantId, target, outcome, status } = entry
  const { detail, changes, requestId } = entry
  const condition =
    unless === undefined ? sql`true` : sql`NOT EXISTS (SELECT 1 FROM audit_trail WHERE fold_key = ${unless})`
  return statement(sql`INSERT INTO audit_trail (time, administrator, via, operation, source, tenant_id, target, outcome,
      status, detail, changes, request_id, fold_key)
    SELECT ${time}, ${administrator}, ${via}, ${operation}, ${source}, ${tenantId}, ${target}, ${outcome},
      ${status}, ${detail}, ${changes}, ${requestId}, ${foldKey} WHERE ${condition}
    ON CONFLICT (fold_key) WHERE fold_key IS NOT NULL DO UPDATE SET repeated = repeated + 1`)
}

const READ = /^\s*SELECT\b/i

/**
 * A database whose first transaction that writes also stores an entry with the outcome "begun", so that a change without an
 * entry cannot be left behind. `insertAuditEntry` replaces it by the entry with the outcome.
 *
 * @param begin is asked at each write, and returns undefined while the administrator is not known
 */
export function beginningAudit(
  db: Database,
  begin: () => { readonly entry: NewAuditEntry; readonly key: string } | undefined,
): Database {
  let hasBegun = false
  return {
    ...db,
    async batch(statements, isLong) {
      const isWrite = statements.some((one) => !READ.test(one.sql) && one.isNote !== true)
      const begun = isWrite && !hasBegun ? begin() : undefined
      if (begun === undefined) return await db.batch(statements, isLong)
      const note = { ...insertion(begun.entry, begun.key, begun.key), isNote: true }
      const results = await db.batch([...statements, note], isLong)
      hasBegun = true
      return results.slice(0, statements.length)
    },
  }
}

export interface AuditPage {
  /** Undefined: of all tenants, and of none. */
  readonly tenantId?: string | undefined
  /** The cursor of the previous page. */
  readonly before?: number | undefined
  /** Only entries before that time, in milliseconds since 1970. */
  readonly to?: number | undefined
  readonly size: number
}

/** What no entry has as its `seq`. */
const BEYOND = Number.MAX_SAFE_INTEGER

/** A page of the trail, newest first. */
export function auditPageQuery({ tenantId, before, to, size }: AuditPage): Query<Page<AuditEntry, number>> {
  const conditions: SQL[] = [
    ...(tenantId === undefined ? [] : [sql`tenant_id = ${tenantId}`]),
    ...(before === undefined ? [] : [sql`seq < ${before}`]),
    // Entries are in the order of time, unless the clock was set back.
    ...(to === undefined
      ? []
      : [
          sql`seq < coalesce((SELECT seq FROM audit_trail WHERE time >= ${to} ORDER BY time LIMIT 1), ${BEYOND})`,
        ]),
  ]
  const where = conditions.length === 0 ? sql`true` : sql.join(conditions, sql` AND `)
  return {
    statements: [ENTRY.where(sql`${where} ORDER BY seq DESC LIMIT ${size + 1}`)],
    read: ([result]) => pageOfItems(ENTRY.all(result), size, ({ seq }) => seq),
  }
}

/** How many entries a page looks at for a text, and a look-up for what made a change, those of other tenants included. */
export const MAX_LOOKED_AT = 100
/** An entry of a tenant in another database is stored after the change. */
const LATER_MS = MINUTE_MS

export interface AuditCause {
  readonly tenantId: string
  /** The id of the request, or of the job, that made a change. */
  readonly id: string
  /** The time of the change, in milliseconds since 1970. */
  readonly at: number
}

/** The request of an administrator that made a change, or started the job that did: the newest before the time, or undefined. */
export function auditCauseQuery({ tenantId, id, at }: AuditCause): Query<AuditEntry | undefined> {
  const latest = sql`SELECT seq, tenant_id, request_id, target FROM audit_trail WHERE time <= ${at + LATER_MS}
    ORDER BY time DESC LIMIT ${MAX_LOOKED_AT}`
  const found = sql`SELECT max(seq) FROM (${latest})
    WHERE tenant_id = ${tenantId} AND (request_id = ${id} OR target = ${id})`
  return {
    statements: [ENTRY.where(sql`seq = (${found})`)],
    read: ([result]) => ENTRY.all(result)[0],
  }
}

const STREAMED = 500

/** The whole trail, newest first, in pages. */
export async function* streamAudit(
  db: Database,
  { tenantId, to }: Pick<AuditPage, 'tenantId' | 'to'>,
): AsyncGenerator<readonly AuditEntry[], void, undefined> {
  let before: number | undefined
  do {
    const { page } = await readTogether(db, {
      page: auditPageQuery({ tenantId, before, to, size: STREAMED }),
    })
    yield page.items
    before = page.next
  } while (before !== undefined)
}

/** Entries that a run of the timer deletes: more than a minute's worth of any script. The next run deletes the rest. */
const MAX_PRUNED = 10_000

/** Deletes entries before a time, with one statement. @returns their number */
export async function pruneAudit(db: Database, before: number): Promise<number> {
  const [deleted] = await db.batch([
    statement(sql`DELETE FROM audit_trail WHERE seq IN (
      SELECT seq FROM audit_trail WHERE time < ${before} ORDER BY time LIMIT ${MAX_PRUNED})`),
  ])
  return deleted?.changes ?? 0
}
