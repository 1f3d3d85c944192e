/**
 * Conflicts for administrators: lists them, and closes those whose reason is gone.
 */
import { type SQL, sql } from 'drizzle-orm'
import type { Complex } from '../../scim/comparison.ts'
import { identityKeys } from '../../scim/identifiers.ts'
import { type Database, type Row, type Statement, statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import { type StoredResourceType, typeNamed } from '../tables/resource-tables.ts'
import { selection } from '../tables/selection.ts'
import { sourceConflicts } from '../tables/tables.ts'

export type ConflictKind = (typeof sourceConflicts.$inferSelect)['kind']
export type ConflictState = (typeof sourceConflicts.$inferSelect)['state']
export const CONFLICT_KINDS = sourceConflicts.kind.enumValues
export const CONFLICT_STATES = sourceConflicts.state.enumValues

const CONFLICT = selection(
  sourceConflicts,
  [
    'kind',
    'key',
    'resourceType',
    'attribute',
    'value',
    'resourceId',
    'clientId',
    'time',
    'requestId',
    'otherResourceId',
    'otherClientId',
    'otherRequestId',
    'firstSeenAt',
    'lastSeenAt',
    'seen',
    'state',
    'closedAt',
  ],
  {
    alias: 'c',
    computed: {
      clientName: sql<string | null>`(SELECT name FROM clients WHERE id = c.client_id)`,
      otherClientName: sql<string | null>`(SELECT name FROM clients WHERE id = c.other_client_id)`,
    },
  },
)

/** A conflict with the names of both resources; null if there is none by now, or none at all. */
export interface Conflict extends ReturnType<typeof CONFLICT.fromRow> {
  readonly resourceName: string | null
  readonly otherResourceName: string | null
  /** Of a membership: the name of the member. */
  readonly memberName: string | null
  /** Whether its reason still exists. */
  readonly holds: boolean
}

/** Identifies a conflict within its tenant. */
export type ConflictKey = Pick<Conflict, 'kind' | 'key'>

/** A page of conflicts. */
export interface ConflictsRequest {
  readonly tenantId: string
  /** The shipped types and those of the tenant. */
  readonly types: readonly StoredResourceType[]
  readonly state: ConflictState
  readonly size: number
  /** Milliseconds since 1970. */
  readonly now: number
  /** The conflicts after the first ones. */
  readonly offset?: number
}

/** Conflicts in one state, the oldest first, with the facts on which they rest. */
export function conflictsQuery(request: ConflictsRequest): Query<readonly Conflict[]> {
  const { tenantId, types, state, size, now, offset = 0 } = request
  // A parameter would not use the index of the open ones.
  const hasState = state === 'open' ? sql`c.state = 'open'` : sql`c.state = ${state}`
  return {
    statements: [
      statement(sql`SELECT ${CONFLICT.columns}, ${dataOf(types, 'c.resource_id')} AS data,
          ${dataOf(types, 'c.other_resource_id')} AS otherData, ${memberNameOf(types)} AS memberName
        FROM source_conflicts AS c WHERE c.tenant_id = ${tenantId} AND ${hasState}
        ORDER BY c.first_seen_at LIMIT ${size} OFFSET ${offset}`),
      activeClientsStatement(
        tenantId,
        now,
        sql`SELECT 1 FROM source_conflicts AS c WHERE c.tenant_id = ${tenantId} AND ${hasState}`,
      ),
    ],
    read: ([found, active]) => {
      const clients = new Set((active?.rows ?? []).map(({ id }) => String(id)))
      return (found?.rows ?? []).map((row) => conflictOf(row, types, clients))
    },
  }
}

/** Closes conflicts. @returns whether there was one that was not closed yet */
export async function closeConflicts(
  db: Database,
  tenantId: string,
  conflicts: readonly ConflictKey[],
  as: { readonly state: 'resolved' | 'dismissed'; readonly now: number },
): Promise<boolean> {
  if (conflicts.length === 0) return false
  const close = closeStatement(tenantId, conflicts, as)
  const [closed] = await db.batch([as.state === 'dismissed' ? { ...close, act: {} } : close])
  return (closed?.changes ?? 0) > 0
}

/** A resolved one can be dismissed, so that it does not open again. */
function closeStatement(
  tenantId: string,
  conflicts: readonly ConflictKey[],
  { state, now }: { readonly state: 'resolved' | 'dismissed'; readonly now: number },
): Statement {
  const keys = JSON.stringify(conflicts.map(({ kind, key }) => [kind, key]))
  const isClosable = state === 'resolved' ? sql`state = 'open'` : sql`state <> 'dismissed'`
  return statement(sql`UPDATE source_conflicts SET state = ${state}, closed_at = ${now}
    WHERE tenant_id = ${tenantId} AND ${isClosable}
      AND (kind, key) IN (SELECT value ->> 0, value ->> 1 FROM json_each(${keys}))
      AND EXISTS (SELECT 1 FROM tenants WHERE id = ${tenantId} AND state = 'ready')`)
}

/** @param id the column of a conflict that has the id of the resource */
function dataOf(types: readonly StoredResourceType[], id: string): SQL {
  const cases = types.map(({ name, table }) =>
    sql.raw(
      `WHEN '${name}' THEN (SELECT data FROM ${table.name} AS r WHERE r.tenant_id = c.tenant_id AND r.id = ${id})`,
    ),
  )
  return sql`CASE c.resource_type ${sql.join(cases, sql` `)} END`
}

function memberNameOf(types: readonly StoredResourceType[]): SQL {
  const names = types.map(({ table, nameAttribute }) =>
    sql.raw(
      `(SELECT data ->> '$.${nameAttribute}' FROM ${table.name} AS r WHERE r.tenant_id = c.tenant_id AND r.id = c.value)`,
    ),
  )
  return sql`CASE c.kind WHEN 'membership' THEN coalesce(${sql.join(names, sql`, `)}, NULL) END`
}

/** The clients that have a credential that is valid. @param conflicts without any, no client is looked for */
function activeClientsStatement(tenantId: string, now: number, conflicts: SQL): Statement {
  const has = (table: string, condition: SQL) =>
    sql`SELECT client_id FROM ${sql.raw(table)} WHERE tenant_id = ${tenantId} AND ${condition}`
  return statement(sql`SELECT id FROM clients WHERE EXISTS (${conflicts}) AND tenant_id = ${tenantId} AND deleted_at IS NULL AND id IN (
    ${has('tokens', sql`revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ${now})`)}
    UNION ${has('client_secrets', sql`revoked_at IS NULL AND expires_at > ${now}`)}
    UNION ${has('client_trusts', sql`true`)})`)
}

function conflictOf(
  row: Row,
  types: readonly StoredResourceType[],
  activeClients: ReadonlySet<string>,
): Conflict {
  const conflict = CONFLICT.fromRow(row)
  const type = typeNamed(types, conflict.resourceType)
  const [first, other] = [row.data, row.otherData].map((data) =>
    data == null ? undefined : (JSON.parse(String(data)) as Complex),
  )
  const nameOf = (resource: Complex | undefined) => {
    const name = resource?.[type.nameAttribute]
    return typeof name === 'string' ? name : null
  }
  return {
    ...conflict,
    resourceName: nameOf(first),
    otherResourceName: nameOf(other),
    memberName: row.memberName == null ? null : String(row.memberName),
    holds: holds(conflict, type, { first, other, activeClients }),
  }
}

/** What a conflict rests on. */
interface Facts {
  /** Undefined if it was deleted. */
  readonly first: Complex | undefined
  readonly other: Complex | undefined
  /** Those that can write at all. */
  readonly activeClients: ReadonlySet<string>
}

/**
 * Whether the reason of a conflict still exists: both resources, if there are two, still have the value. Without a second
 * one, both sources can still write: a client without a valid credential cannot repeat its write.
 */
function holds(
  conflict: ReturnType<typeof CONFLICT.fromRow>,
  type: StoredResourceType,
  { first, other, activeClients }: Facts,
): boolean {
  if (first === undefined) return false
  const { kind, key, clientId, otherClientId, otherResourceId } = conflict
  const isActive = (client: string | null) => client === null || activeClients.has(client)
  if (kind === 'attribute' || kind === 'membership') return isActive(clientId) && isActive(otherClientId)
  const hasValue = (resource: Complex | undefined) =>
    resource !== undefined && identityKeys(resource, type, kind).includes(key)
  return hasValue(first) && (otherResourceId === null ? isActive(otherClientId) : hasValue(other))
}
