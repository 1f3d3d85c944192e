/**
 * Counts what a client takes away, in the batch of the write: disabled and deleted users, deleted groups, and removed
 * memberships. Above the threshold of the tenant's guard, the database ends the batch; without a guard, it tells once for each
 * window. The database decides, so all isolates share the counts, and no number of writes at the same time exceeds the
 * threshold.
 */
import { type Placeholder, type SQL, sql } from 'drizzle-orm'
import {
  type DeprovisionThreshold,
  type LostAccess,
  partStart,
  UNUSUAL,
  windowStart,
} from '../../scim/deprovisioning.ts'
import { hasMembers } from '../../scim/schema/resource-type.ts'
import { type Credentials, credentialsOf, isAdmittedToken } from '../access/token-conditions.ts'
import { prepared, type Slots, type SqlValue, type Statement } from '../database/database.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import type { DeletedResource } from '../tables/stored-resources.ts'
import type { TenantContext } from '../tenants/context.ts'

type Guarded = Pick<TenantContext, 'actor' | 'version' | 'deprovisionGuard'>

type Slot = keyof Credentials | keyof LostAccess | 'part' | 'start' | 'share' | 'count' | 'windowMinutes'
type Values = Readonly<Record<Slot, SqlValue | Placeholder>>

/** The token with its client. The administrator counts as a deleted client: its writes are never unusual. */
function writerOf(values: Values): SQL {
  return sql`tokens CROSS JOIN clients AS c ON c.id = tokens.client_id AND c.deleted_at IS NULL
    WHERE ${isAdmittedToken(values)}`
}

/** What the client has taken away in the window, and since an administrator has let it pass: one row. */
function sums(values: Values): SQL {
  return sql`(SELECT c.id AS client, c.tenant_id AS tenant, c.name, total(d.users) AS users, total(d.groups) AS groups,
      total(d.memberships) AS memberships
    FROM (SELECT c.id, c.tenant_id, c.name, c.guard_released_until FROM ${writerOf(values)}) AS c
    LEFT JOIN deprovisioning AS d ON d.tenant_id = c.tenant_id AND d.client_id = c.id
      AND d.bucket > max(${values.start}, coalesce(c.guard_released_until, 0))
    GROUP BY c.id)`
}

/** The condition on a row of `sums` that a kind of which the write takes something away is above the threshold. */
function isUnusual(values: Values): SQL {
  const isAbove = (kind: keyof LostAccess, existing: string) => {
    const lost = sql.raw(`lost.${kind}`)
    return sql`(${values[kind]} > 0 AND ${lost} > ${values.count}
      AND ${lost} > ${values.share} * ((SELECT ${sql.raw(existing)} FROM tenants WHERE id = lost.tenant) + ${lost}))`
  }
  return sql`(${isAbove('users', 'active_user_count')} OR ${isAbove('groups', 'group_count')}
    OR ${isAbove('memberships', 'membership_count')})`
}

const ADDED =
  sql.raw(`ON CONFLICT (tenant_id, client_id, bucket) DO UPDATE SET users = users + excluded.users,
  groups = groups + excluded.groups, memberships = memberships + excluded.memberships, held = held + excluded.held`)

function insertCounts(values: Values, source: { readonly memberships: SQL; readonly join?: SQL }): SQL {
  return sql`INSERT INTO deprovisioning (tenant_id, client_id, bucket, users, groups, memberships, held)
    SELECT c.tenant_id, c.id, ${values.part}, ${values.users}, ${values.groups}, ${source.memberships}, 0
    FROM ${source.join ?? sql``} ${writerOf(values)} ${ADDED}`
}

const countStatement = prepared((slots: Slots<Slot>) =>
  insertCounts(slots, { memberships: sql`${slots.memberships}` }),
)

const guardStatement = prepared(
  (slots: Slots<Slot>) =>
    sql`INSERT INTO guards (rule) SELECT 'held' FROM ${sums(slots)} AS lost WHERE ${isUnusual(slots)}`,
)

/** Tells once for each window: a trigger stores the event. */
function alarm(values: Values, isHeld: boolean): SQL {
  const data = sql`json_object('clientId', lost.client, 'clientName', lost.name, 'isHeld', json(${sql.raw(`'${isHeld}'`)}),
    'windowMinutes', ${values.windowMinutes}, 'users', CAST(lost.users AS INTEGER), 'groups', CAST(lost.groups AS INTEGER),
    'memberships', CAST(lost.memberships AS INTEGER))`
  return sql`UPDATE deprovisioning SET alarmed_at = ${values.now}, alarm = ${data} FROM ${sums(values)} AS lost
    WHERE tenant_id = lost.tenant AND client_id = lost.client AND bucket = ${values.part}
      AND ${isHeld ? sql`true` : isUnusual(values)}
      AND NOT EXISTS (SELECT 1 FROM deprovisioning AS told WHERE told.tenant_id = lost.tenant
        AND told.client_id = lost.client AND told.bucket > ${values.start} AND told.alarmed_at IS NOT NULL)`
}

const alarmStatement = prepared((slots: Slots<Slot>) => alarm(slots, false))
const heldAlarmStatement = prepared((slots: Slots<Slot>) => alarm(slots, true))

const heldStatement = prepared(
  (
    slots: Slots<Slot>,
  ) => sql`INSERT INTO deprovisioning (tenant_id, client_id, bucket, users, groups, memberships, held)
    SELECT c.tenant_id, c.id, ${slots.part}, 0, 0, 0, 1 FROM ${writerOf(slots)} ${ADDED}`,
)

function valuesOf(tenant: Guarded, lost: LostAccess) {
  const credentials = credentialsOf(tenant)
  const threshold: DeprovisionThreshold = tenant.deprovisionGuard ?? UNUSUAL
  const [part, start] = [partStart(threshold, credentials.now), windowStart(threshold, credentials.now)]
  return { ...credentials, ...threshold, ...lost, part, start }
}

/**
 * The statements that count what a write takes away, and end its batch or tell. They run after the write.
 *
 * @returns none if it takes nothing away
 */
export function deprovisionStatements(tenant: Guarded, lost: LostAccess): readonly Statement[] {
  if (lost.users + lost.groups + lost.memberships === 0) return []
  const values = valuesOf(tenant, lost)
  return [countStatement(values), checkStatement(tenant, values)]
}

function checkStatement({ deprovisionGuard }: Guarded, values: Readonly<Record<Slot, SqlValue>>): Statement {
  return deprovisionGuard === undefined ? alarmStatement(values) : guardStatement(values)
}

/** The values by which a deletion is counted. */
export type CountSlot = Slot

/** Counts what a deletion takes away. It runs before it, because it counts the memberships. */
export function countDeletion({ type, isWanted }: DeletedResource, slots: Slots<CountSlot>): SQL {
  const members = sql.raw(hasMembers(type) ? 'member_count' : '0 AS member_count')
  return insertCounts(slots, {
    memberships: sql`gone.member_count`,
    join: sql`(SELECT ${members} FROM ${sql.raw(type.table.name)} AS gone WHERE ${isWanted}) AS gone CROSS JOIN`,
  })
}

/** The values of `countDeletion`, and the statement that ends the batch or tells. It runs after the deletion. */
export function deletionCounts(
  tenant: Guarded,
  type: StoredResourceType,
): { readonly values: Readonly<Record<CountSlot, SqlValue>>; readonly check: Statement } {
  const isGroup = hasMembers(type)
  const lost = { users: isGroup ? 0 : 1, groups: isGroup ? 1 : 0, memberships: isGroup ? 1 : 0 }
  const values = valuesOf(tenant, lost)
  return { values, check: checkStatement(tenant, values) }
}

/** The statements that count a held write, and tell once for each window. */
export function heldStatements(tenant: Guarded): readonly Statement[] {
  const values = valuesOf(tenant, { users: 0, groups: 0, memberships: 0 })
  return [heldStatement(values), heldAlarmStatement(values)]
}
