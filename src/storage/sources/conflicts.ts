/**
 * Notices conflicts between sources in the batch of the write that meets them. A statement looks a few values up in
 * indexes, and stores nothing if there is no conflict. A trigger stores the event of a conflict that opens.
 *
 * The administrator and imports are no source of a conflict, and neither is a resource whose client is unknown.
 */
import { type SQL, sql } from 'drizzle-orm'
import type { AttributeChange } from '../../scim/changes.ts'
import type { IdentifierColumn, IdentifierLookup } from '../../scim/identifiers.ts'
import { MAX_CONFLICTS } from '../../scim/limits.ts'
import { hasMembers } from '../../scim/schema/resource-type.ts'
import { administratorIdBeside } from '../access/administrator.ts'
import { knownClient } from '../access/known-tokens.ts'
import { type Credentials, isAdmittedToken } from '../access/token-conditions.ts'
import { prepared, type Slots, type Statement } from '../database/database.ts'
import { preparedByTable } from '../tables/prepared-by-table.ts'
import type { ResourceTable, StoredResourceType } from '../tables/resource-tables.ts'

/** The write that may meet a conflict. */
export interface MeetingWrite {
  readonly credentials: Credentials
  readonly requestId: string
  readonly type: StoredResourceType
}

/** The entries of the log of a resource among which an earlier value is looked for. */
const LOOKED_BACK_ENTRIES = 8
/** The members of a write that are looked for among them. */
const LOOKED_BACK_MEMBERS = 100

const COLUMNS = sql`(tenant_id, kind, key, resource_type, attribute, value, resource_id, client_id, time, request_id,
  other_resource_id, other_client_id, other_request_id, first_seen_at, last_seen_at)`

/** A conflict that is seen again. It opens again if it was resolved; one that was dismissed stays so. */
const SEEN_AGAIN = sql`ON CONFLICT (tenant_id, kind, key) DO UPDATE SET
  resource_id = excluded.resource_id, client_id = excluded.client_id, time = excluded.time, request_id = excluded.request_id,
  other_resource_id = excluded.other_resource_id, other_client_id = excluded.other_client_id,
  other_request_id = excluded.other_request_id, last_seen_at = excluded.last_seen_at, seen = seen + 1,
  closed_at = iif(state = 'dismissed', closed_at, NULL), state = iif(state = 'dismissed', state, 'open')`

/**
 * The condition that a tenant has room for another conflict. It depends on the row of a conflict that was found, so that
 * nothing is counted otherwise.
 *
 * @param tenant a column of that row
 */
export function hasRoom(tenant: string): SQL {
  return sql`(SELECT count(*) FROM (SELECT 1 FROM source_conflicts AS kept WHERE kept.tenant_id = ${sql.raw(tenant)}
    LIMIT ${sql.raw(String(MAX_CONFLICTS))})) < ${sql.raw(String(MAX_CONFLICTS))}`
}

/** The condition that a client is a source other than that of the token. */
function isOtherSource(client: string): SQL {
  return sql`${sql.raw(client)} IS NOT NULL AND ${sql.raw(client)} <> tokens.client_id
    AND ${isNotAdministrator(client)} AND ${isNotAdministrator('tokens.client_id')}`
}

function isNotAdministrator(client: string): SQL {
  return sql`${sql.raw(client)} <> ${administratorIdBeside('tokens.tenant_id')}`
}

/** The request that created the resource `o`, if the log still has it. */
const CREATING_REQUEST = sql`(SELECT request_id FROM provisioning_log AS l
  WHERE l.tenant_id = o.tenant_id AND l.resource_id = o.id ORDER BY l.id LIMIT 1)`

type WriteSlot = 'tenantId' | 'tokenHash' | 'now' | 'requestId' | 'resourceType'

type IdentifierSlot = WriteSlot | 'id' | 'lookups'

/** By the columns that they look in: most resources have one identifier, and no user is looked up by its name. */
const identifierStatementsOf = new Map<string, ReturnType<typeof preparedByTable<IdentifierSlot>>>()

/** @param columns sorted, each once */
function insertIdentifiers(columns: readonly IdentifierColumn[]) {
  const key = columns.join(' ')
  const known =
    identifierStatementsOf.get(key) ??
    preparedByTable<IdentifierSlot>((table, slots) => identifiersIn(columns, table, slots))
  identifierStatementsOf.set(key, known)
  return known
}

function identifiersIn(
  columns: readonly IdentifierColumn[],
  table: ResourceTable,
  slots: Slots<IdentifierSlot>,
): SQL {
  const indexed = columnsOf(table)
  const found = columns.map(
    (name) => sql`SELECT f.value ->> '$.kind' AS kind, f.value ->> '$.key' AS key,
        f.value ->> '$.column' AS attribute, o.id
      FROM json_each(${slots.lookups}) AS f CROSS JOIN ${sql.raw(table.name)} AS o
        ON o.tenant_id = ${slots.tenantId} AND ${indexed[name] ?? sql`NULL`} = f.value ->> '$.value'
      WHERE f.value ->> '$.column' = ${sql.raw(`'${name}'`)} AND o.id <> ${slots.id}`,
  )
  return sql`INSERT INTO source_conflicts ${COLUMNS}
    SELECT o.tenant_id, found.kind, found.key, ${slots.resourceType}, found.attribute, found.key, o.id, o.created_by,
      o.created_at, ${CREATING_REQUEST}, ${slots.id}, tokens.client_id, ${slots.requestId}, ${slots.now}, ${slots.now}
    FROM (${sql.join(found, sql` UNION ALL `)}) AS found
      CROSS JOIN ${sql.raw(table.name)} AS o ON o.tenant_id = ${slots.tenantId} AND o.id = found.id
      CROSS JOIN tokens ON tokens.hash = ${slots.tokenHash}
    WHERE ${isNotAdministrator('tokens.client_id')}
      AND (${isOtherSource('o.created_by')} OR found.kind = 'nativeObjectId' AND found.attribute = 'nativeObjectId')
      AND ${hasRoom('o.tenant_id')}
    GROUP BY found.kind, found.key ${SEEN_AGAIN}`
}

/** The indexed columns of the alias `o` in which identifiers are looked up. */
function columnsOf(table: ResourceTable): Partial<Record<IdentifierColumn, SQL>> {
  const native = Object.entries(table.columns).find(([path]) => path.endsWith(':nativeObjectId'))?.[1]
  const columns = {
    externalId: table.columns.externalId,
    nativeObjectId: native,
    name: table.columns.displayName,
  }
  return Object.fromEntries(
    Object.entries(columns).flatMap(([name, column]) =>
      column?.index === undefined ? [] : [[name, sql.raw(column.sql.replace(`${table.name}.`, 'o.'))]],
    ),
  )
}

/** Looks up whether other resources have identifiers of a resource that was just stored. */
export function identifierStatements(
  { credentials: { tenantId, tokenHash, now }, requestId, type }: MeetingWrite,
  id: string,
  lookups: readonly IdentifierLookup[],
): readonly Statement[] {
  if (lookups.length === 0) return []
  const columns = new Set(lookups.map(({ column }) => column))
  const values = { tenantId, tokenHash, now, requestId, resourceType: type.name, id }
  return [insertIdentifiers([...columns].sort())(type.table, { ...values, lookups: JSON.stringify(lookups) })]
}

const insertTaken = preparedByTable<WriteSlot | 'tenantVersion' | 'kind' | 'attribute' | 'key'>(
  (table, slots) => {
    const column = sql.raw(
      (table.uniqueColumn ?? table.columns.displayName?.sql ?? '').replace(`${table.name}.`, 'o.'),
    )
    return sql`INSERT INTO source_conflicts ${COLUMNS}
      SELECT o.tenant_id, ${slots.kind}, ${slots.key}, ${slots.resourceType}, ${slots.attribute}, ${slots.key}, o.id,
        o.created_by, o.created_at, ${CREATING_REQUEST}, NULL, tokens.client_id, ${slots.requestId}, ${slots.now}, ${slots.now}
      FROM tokens CROSS JOIN ${sql.raw(table.name)} AS o ON o.tenant_id = ${slots.tenantId} AND ${column} = ${slots.key}
      WHERE ${isAdmittedToken(slots)} AND tokens.scope = 'provision' AND ${isOtherSource('o.created_by')}
        AND ${hasRoom('o.tenant_id')}
      LIMIT 1 ${SEEN_AGAIN}`
  },
)

/** A value that a refused write wanted and another resource has. */
export interface TakenValue {
  readonly attribute: string
  /** In comparison form. */
  readonly key: string
}

/** Looks up whose value it is that a refused write wanted. Stores nothing unless the token may write. */
export function takenStatement(
  { credentials, requestId, type }: MeetingWrite,
  { attribute, key }: TakenValue,
): Statement {
  const kind = hasMembers(type) ? 'groupName' : 'uniqueness'
  return insertTaken(type.table, { ...credentials, requestId, resourceType: type.name, kind, attribute, key })
}

/** The latest entries of the log about a resource by other sources, before an entry. */
function earlierEntries({ tenantId, id, entryId }: Slots<'tenantId' | 'id' | 'entryId'>): SQL {
  return sql`(SELECT client_id, time, request_id, outcome, changes FROM provisioning_log
    WHERE tenant_id = ${tenantId} AND resource_id = ${id} AND id < ${entryId} ORDER BY id DESC
    LIMIT ${sql.raw(String(LOOKED_BACK_ENTRIES))}) AS l`
}

type TurnSlot = WriteSlot | 'id' | 'entryId'

/** @param found rows with `key`, `attribute` and `value`, beside the entry `l` */
function insertTurns(slots: Slots<TurnSlot>, kind: 'attribute' | 'membership', found: SQL): SQL {
  return sql`INSERT INTO source_conflicts ${COLUMNS}
    SELECT ${slots.tenantId}, ${kind}, ${slots.id} || ' ' || key, ${slots.resourceType}, attribute, value, ${slots.id},
      found.client_id, found.time, found.request_id, ${slots.id}, tokens.client_id, ${slots.requestId}, ${slots.now}, ${slots.now}
    FROM (${found}) AS found CROSS JOIN tokens ON tokens.hash = ${slots.tokenHash}
    WHERE found.outcome = 'accepted' AND ${isOtherSource('found.client_id')} AND ${hasRoom('tokens.tenant_id')}
    GROUP BY key ${SEEN_AGAIN}`
}

/** Values that the log does not show are equal to each other. */
const IS_SHOWN = sql.raw(`coalesce(p.value ->> '$.old', '') NOT LIKE '(%not shown)'
  AND coalesce(p.value ->> '$.old', '') NOT LIKE '(%not logged)'`)

const insertAttributeTurns = prepared((slots: Slots<TurnSlot | 'changes'>) =>
  insertTurns(
    slots,
    'attribute',
    sql`SELECT l.*, c.value ->> '$.attribute' AS key, c.value ->> '$.attribute' AS attribute, NULL AS value
      FROM ${earlierEntries(slots)} CROSS JOIN json_each(${slots.changes}) AS c CROSS JOIN json_each(l.changes) AS p
      WHERE p.value ->> '$.attribute' = c.value ->> '$.attribute' AND c.value ->> '$.attribute' <> 'members'
        AND p.value -> '$.old' IS c.value -> '$.new' AND ${IS_SHOWN}`,
  ),
)

/** Each element is the id of a member and the side on which an earlier change must have it. */
const insertMemberTurns = prepared((slots: Slots<TurnSlot | 'members'>) =>
  insertTurns(
    slots,
    'membership',
    sql`SELECT l.*, c.value ->> '$.id' AS key, 'members' AS attribute, c.value ->> '$.id' AS value
      FROM ${earlierEntries(slots)} CROSS JOIN json_each(l.changes) AS p CROSS JOIN json_each(${slots.members}) AS c
      WHERE p.value ->> '$.attribute' = 'members' AND c.value ->> '$.id' IN (
        SELECT value FROM json_each(p.value, '$.' || (c.value ->> '$.side')))`,
  ),
)

/** A change of a resource that another source may have written last. */
export interface TurningWrite extends MeetingWrite {
  readonly id: string
  /** The id of its entry in the log. */
  readonly entryId: string
  readonly changes: readonly AttributeChange[]
}

/**
 * Looks back whether the write restores what another source had changed: a value that it replaced, a member that it added
 * or removed.
 */
export function turnStatements(write: TurningWrite): readonly Statement[] {
  const { credentials, requestId, type, id, entryId, changes } = write
  const { tenantId, tokenHash, now } = credentials
  const values = { tenantId, tokenHash, now, requestId, resourceType: type.name, id, entryId }
  const attributes = changes.filter(({ attribute }) => attribute !== 'members')
  const members = membersOf(changes.find(({ attribute }) => attribute === 'members'))
  return [
    ...(attributes.length > 0
      ? [insertAttributeTurns({ ...values, changes: JSON.stringify(attributes) })]
      : []),
    ...(members.length > 0 ? [insertMemberTurns({ ...values, members: JSON.stringify(members) })] : []),
  ]
}

function membersOf(change: AttributeChange | undefined) {
  const ids = (value: unknown) => (Array.isArray(value) ? value.map(String) : [])
  return [
    ...ids(change?.new).map((id) => ({ id, side: 'old' })),
    ...ids(change?.old).map((id) => ({ id, side: 'new' })),
  ].slice(0, LOOKED_BACK_MEMBERS)
}

/**
 * Whether another source may have written a resource last, as far as this isolate knows.
 *
 * @param modifiedBy undefined if it was not read
 */
export function mayTurn(credentials: Credentials, modifiedBy: string | null | undefined): boolean {
  if (modifiedBy === null) return false
  return modifiedBy === undefined || modifiedBy !== knownClient(credentials)?.clientId
}
