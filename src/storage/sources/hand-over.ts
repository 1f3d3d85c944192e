/**
 * Hands resources over: from then on, another client is their owner.
 */
import { type SQL, sql } from 'drizzle-orm'
import { type Database, type Statement, statement } from '../database/database.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'

/** The most rows that one batch looks at, and the most batches of one request. */
const CHUNK = 1_000
const MAX_CHUNKS = 20

/** The new owner; null leaves the resource to every client. */
export type NewOwner = string | null

/** @returns false if the tenant has no such resource, or is not ready */
export async function handOver(
  db: Database,
  types: readonly StoredResourceType[],
  { tenantId, id, to }: { readonly tenantId: string; readonly id: string; readonly to: NewOwner },
): Promise<boolean> {
  const isOfAnother = (table: string) => sql`EXISTS (SELECT 1 FROM ${sql.raw(table)}
    WHERE tenant_id = ${tenantId} AND id = ${id} AND created_by IS NOT ${to})`
  const results = await db.batch(
    toldOnce(
      types.map(({ table }) =>
        statement(sql`UPDATE ${sql.raw(table.name)} SET created_by = ${to}
        WHERE tenant_id = ${tenantId} AND id = ${id} AND ${isReady(tenantId)}`),
      ),
      sql`${isReady(tenantId)} AND ${anyOf(types.map(({ table }) => isOfAnother(table.name)))}`,
    ),
  )
  return results.some(({ changes }) => changes > 0)
}

/** Marks the first statement, for what the statements change together. @param when they change something */
function toldOnce([first, ...others]: readonly Statement[], when: SQL): readonly Statement[] {
  return first === undefined ? [] : [{ ...first, act: { when } }, ...others]
}

function anyOf(conditions: readonly SQL[]): SQL {
  return sql`(${sql.join([...conditions], sql` OR `)})`
}

/** All resources of a client. */
export interface HandOver {
  readonly tenantId: string
  /** The present owner; null: those without one. */
  readonly from: string | null
  readonly to: NewOwner
  /** The id after which to go on; undefined from the beginning. */
  readonly after: string | undefined
}

/**
 * Hands over the resources of a client, in the order of their ids, as many as one request may.
 *
 * @returns the number of resources, and the id after which to go on; undefined at the end
 */
export async function handOverAll(
  db: Database,
  types: readonly StoredResourceType[],
  request: HandOver,
): Promise<{ readonly changed: number; readonly next: string | undefined }> {
  let changed = 0
  let after = request.after ?? ''
  for (let i = 0; i < MAX_CHUNKS; i++) {
    const [end, ...updates] = await db.batch([
      lastStatement(types, request.tenantId, after),
      ...toldOnce(
        types.flatMap(({ table }) => [chunkStatement(table.name, types, { ...request, after }), CHANGED]),
        sql`${isReady(request.tenantId)} AND ${anyOf(types.map(({ table }) => hasAny(table.name, types, { ...request, after })))}`,
      ),
    ])
    changed += updates.reduce((sum, { rows: [row] }) => sum + Number(row?.changed ?? 0), 0)
    const last = end?.rows[0]?.last
    if (last == null) return { changed, next: undefined }
    after = String(last)
  }
  return { changed, next: after }
}

/** The resources that the previous statement changed. The `changes` of a result include those of triggers. */
const CHANGED: Statement = statement(sql`SELECT changes() AS changed`)

/** The end of the chunk of ids after an id: those of all types together. */
function chunkEnd(types: readonly StoredResourceType[], tenantId: string, after: string) {
  const ids = types.map(
    ({ table }) => sql`SELECT id FROM (SELECT id FROM ${sql.raw(table.name)}
      WHERE tenant_id = ${tenantId} AND id > ${after} ORDER BY id LIMIT ${CHUNK})`,
  )
  return sql`(SELECT max(id) FROM (${sql.join(ids, sql` UNION ALL `)} ORDER BY id LIMIT ${CHUNK}))`
}

function lastStatement(types: readonly StoredResourceType[], tenantId: string, after: string): Statement {
  return statement(sql`SELECT ${chunkEnd(types, tenantId, after)} AS last`)
}

function chunkStatement(
  table: string,
  types: readonly StoredResourceType[],
  { tenantId, from, to, after }: HandOver & { readonly after: string },
): Statement {
  return statement(sql`UPDATE ${sql.raw(table)} SET created_by = ${to}
    WHERE ${isInChunk(types, { tenantId, from, after })} AND ${isReady(tenantId)}`)
}

type Chunk = Pick<HandOver, 'tenantId' | 'from'> & { readonly after: string }

function isInChunk(types: readonly StoredResourceType[], { tenantId, from, after }: Chunk): SQL {
  return sql`tenant_id = ${tenantId} AND id > ${after} AND id <= ${chunkEnd(types, tenantId, after)}
    AND created_by IS ${from}`
}

/** The condition that a table has resources of the client in the chunk, which go to another one. */
function hasAny(
  table: string,
  types: readonly StoredResourceType[],
  { to, ...chunk }: Chunk & Pick<HandOver, 'to'>,
): SQL {
  return sql`(${to} IS NOT ${chunk.from} AND EXISTS (SELECT 1 FROM ${sql.raw(table)} WHERE ${isInChunk(types, chunk)}))`
}

function isReady(tenantId: string) {
  return sql`EXISTS (SELECT 1 FROM tenants WHERE id = ${tenantId} AND state = 'ready')`
}
