/**
 * A resource of each type that a client wrote last: that it has written one at all, however many entries of other clients the log
 * has. The range of an index, with a limit.
 */
import { sql } from 'drizzle-orm'
import { statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'

/** A resource whose last write is of the client. */
export interface WrittenResource {
  readonly type: string
  readonly id: string
  readonly name: string | null
  /** Of that write, in milliseconds since 1970. */
  readonly time: number
}

/** The resources of a type that are looked at: a later write of another client hides that of this one. */
const LOOKED_AT = 5

/** The oldest ones. A type has none if the client wrote none of it, or others have written them since. */
export function writtenResourcesQuery(
  tenantId: string,
  clientId: string,
  types: readonly StoredResourceType[],
): Query<readonly WrittenResource[]> {
  const listed = types.filter(({ table }) => table.hasSources)
  return {
    statements: listed.map(({ name, nameAttribute, table }) =>
      statement(sql`SELECT ${name} AS type, id, data ->> ${sql.raw(`'$.${nameAttribute}'`)} AS name, last_modified AS time
        FROM (SELECT resource_id FROM resource_sources WHERE tenant_id = ${tenantId} AND client_id = ${clientId}
          AND resource_type = ${name} ORDER BY resource_id LIMIT ${LOOKED_AT})
        CROSS JOIN ${sql.raw(table.name)} ON tenant_id = ${tenantId} AND id = resource_id AND modified_by = ${clientId} LIMIT 1`),
    ),
    read: (results) =>
      results
        .flatMap(({ rows }) => rows)
        .map((row) => ({
          type: String(row.type),
          id: String(row.id),
          name: row.name == null ? null : String(row.name),
          time: Number(row.time),
        })),
  }
}
