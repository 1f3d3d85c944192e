/**
 * Tenants: one organisation's directory each. The administrator creates and deletes them.
 */
import { type SQL, sql } from 'drizzle-orm'
import type { ProfileName } from '../../scim/profile.ts'
import { changedFields } from '../database/changed-fields.ts'
import { type Database, statement, UniqueError } from '../database/database.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import { selection } from '../tables/selection.ts'
import { groups, tenants } from '../tables/tables.ts'
import { removeUnusedTenant } from './arrival.ts'
import type { SourceMode, TenantConfiguration } from './context.ts'
import { nameWordsOf } from './name-words.ts'

/** The group limit of a new tenant: the limit that Cisco documents for a directory. */
export const DEFAULT_GROUP_LIMIT = 200

export type TenantState = (typeof tenants.$inferSelect)['state']

/** The database maintains the counts. `createdAt` in milliseconds since 1970. */
export interface Tenant {
  readonly id: string
  readonly name: string
  readonly groupLimit: number
  /** Whether no two groups share a displayName, without regard to case. */
  readonly uniqueGroupNames: boolean
  /** The named set of deviations from the RFCs that its clients are allowed. */
  readonly profile: ProfileName
  /** Who may change a resource. */
  readonly sourceMode: SourceMode
  /** JSON: the threshold above which writes that take access away are held; null if they are not. */
  readonly deprovisionGuard: string | null
  readonly userCount: number
  readonly activeUserCount: number
  readonly groupCount: number
  readonly membershipCount: number
  readonly createdAt: number
  /** Clients have access while it is "ready". */
  readonly state: TenantState
  /** The number of imported lines of the file, while it is "importing"; else null. */
  readonly importedLines: number | null
}

export const TENANT = selection(
  tenants,
  [
    'id',
    'name',
    'groupLimit',
    'uniqueGroupNames',
    'userCount',
    'activeUserCount',
    'groupCount',
    'membershipCount',
    'createdAt',
    'state',
    'importedLines',
  ],
  {
    computed: {
      profile: sql<ProfileName>`coalesce(configuration ->> '$.profile', 'tolerant')`,
      sourceMode: sql<SourceMode>`coalesce(configuration ->> '$.sourceMode', 'observe')`,
      deprovisionGuard: sql<string | null>`configuration -> '$.deprovisionGuard'`,
    },
  },
)

/** A tenant to create. */
export type NewTenant = Pick<
  Tenant,
  'id' | 'name' | 'groupLimit' | 'uniqueGroupNames' | 'profile' | 'createdAt'
>

/** @returns false when the id is taken, in this database or, according to the catalogue, in another one */
export async function insertTenant(db: Database, tenant: NewTenant): Promise<boolean> {
  const { profile } = tenant
  // The default is not stored, so the configuration of most tenants is empty.
  const configuration = profile === 'tolerant' ? null : JSON.stringify({ profile })
  try {
    const [inserted] = await db.batch([
      statement(sql`INSERT INTO tenants (id, name, name_words, group_limit, unique_group_names, configuration, created_at)
        SELECT ${tenant.id}, ${tenant.name}, ${nameWordsOf(tenant.id, tenant.name)}, ${tenant.groupLimit},
          ${Number(tenant.uniqueGroupNames)}, ${configuration}, ${tenant.createdAt} WHERE NOT EXISTS (SELECT 1 FROM tenant_locations WHERE tenant_id = ${tenant.id})`),
    ])
    return inserted?.changes !== 0
  } catch (error) {
    if (error instanceof UniqueError) return false
    throw error
  }
}

/**
 * Creates a tenant outside of the first database, whose catalogue already names it. It replaces the initial tenant of
 * each database and a forwarding address.
 *
 * @returns false when a tenant with this id exists, or rows of one are left
 */
export async function insertTenantElsewhere(
  db: Database,
  types: readonly StoredResourceType[],
  tenant: NewTenant,
): Promise<boolean> {
  await db.batch([
    removeUnusedTenant(types, tenant.id),
    statement(sql`DELETE FROM tenant_locations WHERE tenant_id = ${tenant.id}`),
  ])
  return await insertTenant(db, tenant)
}

/** Changes by an administrator. An undefined member stays as it is. */
export interface TenantChange {
  readonly name?: string | undefined
  readonly groupLimit?: number | undefined
  readonly uniqueGroupNames?: boolean | undefined
  /** Merged into the present configuration (RFC 7396): null resets a member to its default. */
  readonly configuration?: ConfigurationChange | undefined
}

export type ConfigurationChange = {
  readonly [Name in keyof TenantConfiguration]: TenantConfiguration[Name] | null
}

/** Groups share names, in a tenant whose group names are to be unique from now on. */
export class NamesakesError extends Error {
  /** The number of names that several groups share. */
  readonly nameCount: number
  /** Some of those names, in the spelling of one of the groups. */
  readonly names: readonly Namesakes[]

  constructor(nameCount: number, names: readonly Namesakes[]) {
    super(`${nameCount} names of groups are not unique`)
    this.nameCount = nameCount
    this.names = names
  }
}

export interface Namesakes {
  readonly name: string
  readonly groupCount: number
}

/** The columns of a join of one of the groups with `n`, the number of groups that share its name. */
const NAMESAKES = selection(groups, [], {
  computed: { name: sql<string>`groups.data ->> '$.displayName'`, groupCount: sql<number>`n.groupCount` },
})

/** The most names that a NamesakesError lists. */
const MAX_LISTED_NAMES = 5

/**
 * Changes a tenant. A limit below the present number of groups only prevents new ones.
 *
 * @returns the tenant before and after; undefined when there is no such tenant
 * @throws {NamesakesError} nothing is changed
 */
export async function updateTenant(
  db: Database,
  id: string,
  change: TenantChange,
): Promise<{ readonly before: Tenant; readonly after: Tenant } | undefined> {
  const unique = change.uniqueGroupNames === undefined ? null : Number(change.uniqueGroupNames)
  const namesakes = sql`SELECT display_name_key, count(*) AS groupCount, min(id) AS id FROM groups
    WHERE tenant_id = ${id} GROUP BY display_name_key HAVING count(*) > 1`
  const isUnique = sql`(coalesce(${unique}, 0) = 0 OR unique_group_names OR NOT EXISTS (${namesakes}))`
  const update = statement(sql`UPDATE tenants SET name = coalesce(${change.name ?? null}, name),
      name_words = coalesce(${change.name === undefined ? null : nameWordsOf(id, change.name)}, name_words),
      group_limit = coalesce(${change.groupLimit ?? null}, group_limit),
      unique_group_names = coalesce(${unique}, unique_group_names),
      configuration = nullif(json_patch(coalesce(configuration, '{}'), ${JSON.stringify(change.configuration ?? {})}), '{}')
      WHERE id = ${id} AND ${isUnique}`)
  const [earlier, updated, tenant, count, some] = await db.batch([
    TENANT.where(sql`id = ${id}`),
    {
      ...update,
      act: { changed: changedProperties(change, sql`FROM tenants WHERE id = ${id} AND ${isUnique}`) },
    },
    TENANT.where(sql`id = ${id}`),
    ...(unique === 1
      ? [
          statement(sql`SELECT count(*) AS nameCount FROM (${namesakes})`),
          statement(sql`SELECT ${NAMESAKES.columns}
            FROM (${namesakes} LIMIT ${MAX_LISTED_NAMES}) AS n
            JOIN groups ON groups.tenant_id = ${id} AND groups.id = n.id ORDER BY n.display_name_key`),
        ]
      : []),
  ])
  const [before, after] = [TENANT.first(earlier), TENANT.first(tenant)]
  if (before === undefined || after === undefined) return undefined
  if (updated?.changes !== 0) return { before, after }
  throw new NamesakesError(Number(count?.rows[0]?.nameCount), NAMESAKES.all(some))
}

/** The names of the properties that a change changes. @param row see changedFields */
function changedProperties({ configuration = {}, ...change }: TenantChange, row: SQL): SQL {
  const { name = null, groupLimit = null, uniqueGroupNames } = change
  const unique = uniqueGroupNames === undefined ? null : Number(uniqueGroupNames)
  const members = Object.entries(configuration).map(([member, value]) => {
    const present = sql`configuration -> ${`$.${member}`}`
    return [member, sql`${present} IS NOT ${value == null ? null : JSON.stringify(value)}`] as const
  })
  return changedFields(
    [
      ['name', sql`name <> ${name}`],
      ['groupLimit', sql`group_limit <> ${groupLimit}`],
      ['uniqueGroupNames', sql`unique_group_names <> ${unique}`],
      ...members,
    ],
    row,
  )
}
