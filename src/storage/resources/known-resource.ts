/** A resource of any type by its id alone, whether it exists or is kept after its deletion. */
import { sql } from 'drizzle-orm'
import type { Complex } from '../../scim/comparison.ts'
import { type Row, statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import { type StoredResourceType, typeNamed } from '../tables/resource-tables.ts'
import { type Tombstone, tombstoneQuery } from './tombstones.ts'

/** A resource that the administrator asks about. */
export interface KnownResource {
  readonly type: StoredResourceType
  readonly id: string
  readonly name: string | null
  readonly isDeleted: boolean
  /** Its document, now or when it was deleted. */
  readonly resource: Complex
  readonly version: number
  readonly createdAt: number
  readonly tombstone: Tombstone | undefined
}

function currentQuery(
  types: readonly StoredResourceType[],
  tenantId: string,
  id: string,
): Query<Row | undefined> {
  const select = types.map(
    (
      type,
    ) => sql`SELECT ${type.name} AS type, data, version, created_at AS createdAt FROM ${sql.raw(type.table.name)}
      WHERE tenant_id = ${tenantId} AND id = ${id}`,
  )
  return { statements: [statement(sql.join(select, sql` UNION ALL `))], read: ([found]) => found?.rows[0] }
}

/** @returns undefined if it neither exists nor is kept */
export function knownResourceQuery(
  types: readonly StoredResourceType[],
  tenantId: string,
  id: string,
): Query<KnownResource | undefined> {
  const [current, deleted] = [currentQuery(types, tenantId, id), tombstoneQuery(tenantId, id)]
  return {
    statements: [...current.statements, ...deleted.statements],
    read: ([first, ...rest]) => {
      const [row, tombstone] = [current.read(first ? [first] : []), deleted.read(rest)]
      const found = row ?? (tombstone && { ...tombstone, type: tombstone.resourceType })
      if (found === undefined) return undefined
      const type = typeNamed(types, String(found.type))
      const resource = JSON.parse(String(found.data)) as Complex
      const name = resource[type.nameAttribute]
      return {
        type,
        id,
        name: typeof name === 'string' ? name : null,
        isDeleted: row === undefined,
        resource,
        version: Number(found.version),
        createdAt: Number(found.createdAt),
        tombstone,
      }
    },
  }
}
