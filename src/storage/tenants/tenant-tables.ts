/**
 * The tables with rows of tenants, as a move, a purge and a creation need them.
 */
import { getTableColumns, type SQL, sql } from 'drizzle-orm'
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core'
import { RESOURCE_COLUMNS, type StoredResourceType } from '../tables/resource-tables.ts'
import {
  clientSecrets,
  clients,
  clientTrusts,
  deprovisioning,
  emergencyDisables,
  events,
  memberships,
  provisioningActivity,
  provisioningDays,
  provisioningLog,
  sourceConflicts,
  sourceEmails,
  sourceSweeps,
  tokens,
  tombstoneMemberships,
  tombstones,
  transferChunks,
  webhooks,
} from '../tables/tables.ts'

/** A table with rows of tenants. */
export interface TenantTable {
  readonly name: string
  /** The stored columns: generated ones are derived from them. */
  readonly columns: readonly string[]
  /** The columns that identify a row within a tenant, in the order of the primary key or of an index. */
  readonly key: readonly string[]
  /** Long columns, with JSON or base64. Their text at most doubles inside JSON, because it has no control characters. */
  readonly documents?: readonly string[]
  /** The column that ends access. Administrators may set it while the tenant is being moved. */
  readonly ended?: string
  /** Columns that a trigger writes when the row is inserted. */
  readonly derived?: readonly string[]
  /** Columns that a read may change; they are not compared. */
  readonly volatile?: readonly string[]
  /**
   * Whether triggers insert rows while other tables are copied. Such rows are deleted first, and the last row is
   * inserted first.
   */
  readonly isTriggered?: boolean
}

/** The tables that are copied before the resources. */
const ACCESS_TABLES: readonly TenantTable[] = [
  {
    name: 'clients',
    columns: columnNames(clients),
    key: ['id'],
    ended: 'deleted_at',
    volatile: [
      'last_used_at',
      'last_provisioning_at',
      'contacts',
      'health',
      'health_since',
      'guard_released_until',
    ],
    documents: ['contacts'],
  },
  {
    name: 'client_secrets',
    columns: columnNames(clientSecrets),
    key: ['id'],
    ended: 'revoked_at',
    volatile: ['last_used_at'],
  },
  {
    name: 'client_trusts',
    columns: columnNames(clientTrusts),
    key: ['client_id'],
    volatile: ['last_used_at', 'jwks', 'jwks_fetched_at'],
  },
  {
    name: 'tokens',
    columns: columnNames(tokens),
    key: ['id'],
    ended: 'revoked_at',
    derived: ['tenant_state', 'tenant_version'],
    volatile: ['last_used_at', 'feed_seq', 'feed_read_at'],
  },
]

/** The tables that are copied after the resources. */
const LATER_TABLES: readonly TenantTable[] = [
  { name: 'memberships', columns: columnNames(memberships), key: ['group_id', 'member_id'] },
  {
    name: 'provisioning_log',
    columns: columnNames(provisioningLog),
    key: ['id'],
    documents: ['changes', 'ignored', 'request'],
  },
  { name: 'events', columns: columnNames(events), key: ['seq'], documents: ['data', 'previous'] },
  { name: 'tombstones', columns: columnNames(tombstones), key: ['id'], documents: ['data'] },
  {
    name: 'tombstone_memberships',
    columns: columnNames(tombstoneMemberships),
    key: ['id', 'kind', 'first'],
    documents: ['ids'],
  },
  { name: 'source_conflicts', columns: columnNames(sourceConflicts), key: ['kind', 'key'] },
  { name: 'source_emails', columns: columnNames(sourceEmails), key: ['email', 'user_id'] },
  {
    name: 'source_sweeps',
    columns: columnNames(sourceSweeps),
    key: ['tenant_id'],
    documents: ['position', 'counting', 'counts'],
  },
  {
    name: 'webhooks',
    columns: columnNames(webhooks),
    key: ['id'],
    documents: ['types', 'secrets', 'deliveries'],
  },
  {
    name: 'provisioning_activity',
    columns: columnNames(provisioningActivity),
    key: ['hour'],
    isTriggered: true,
  },
  {
    name: 'deprovisioning',
    columns: columnNames(deprovisioning),
    key: ['client_id', 'bucket'],
    documents: ['alarm'],
  },
  { name: 'emergency_disables', columns: columnNames(emergencyDisables), key: ['user_id'] },
  { name: 'provisioning_days', columns: columnNames(provisioningDays), key: ['day'], isTriggered: true },
  {
    name: 'transfer_chunks',
    columns: columnNames(transferChunks),
    key: ['job_id', 'number'],
    documents: ['data'],
  },
]

/**
 * The tables with rows of tenants in the order of copying: a referenced table comes first. A test compares them with
 * the migrations.
 */
export function tenantTables(types: readonly StoredResourceType[]): readonly TenantTable[] {
  const resources = types.map(({ table: { name, ownColumns } }) => ({
    name,
    columns: [...RESOURCE_COLUMNS, ...ownColumns],
    key: ['id'],
    documents: ['data', 'keys'],
  }))
  return [...ACCESS_TABLES, ...resources, ...LATER_TABLES]
}

/** @throws {Error} when none of the tables has this name */
export function tableNamed(tables: readonly TenantTable[], name: string): TenantTable {
  const table = tables.find((one) => one.name === name)
  if (table === undefined) throw new Error(`"${name}" is not a table of a tenant`)
  return table
}

/**
 * @param what the columns that a copy writes, or those that must be equal on both sides
 */
export function columnsOf(
  { columns, derived = [], volatile = [] }: TenantTable,
  what: 'all' | 'comparable',
): readonly string[] {
  const omitted = what === 'all' ? derived : [...derived, ...volatile]
  return columns.filter((name) => name !== 'tenant_id' && !omitted.includes(name))
}

/** The stored columns: generated ones are derived from them. */
export function columnNames(table: SQLiteTable): readonly string[] {
  const columns: readonly SQLiteColumn[] = Object.values(getTableColumns(table))
  return columns.filter(({ generated }) => generated === undefined).map(({ name }) => name)
}

/** Column names as SQL. */
export function names(columns: readonly string[]): SQL {
  return sql.raw(columns.map((column) => `"${column}"`).join(', '))
}
