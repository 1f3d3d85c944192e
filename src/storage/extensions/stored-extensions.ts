/**
 * The extension schemas of a tenant as a part of its stored configuration. The batch of each request verifies that it uses
 * the current one.
 */
import { sql } from 'drizzle-orm'
import { TENANT_SCHEMAS_CHANGED } from '../../scim/events.ts'
import { SchemaRefused } from '../../scim/schema/extension-members.ts'
import {
  changesShownValues,
  decodeExtensions,
  encodeExtensions,
  NO_EXTENSIONS,
  type TenantExtensions,
} from '../../scim/schema/tenant-extensions.ts'
import { type Database, statement } from '../database/database.ts'
import type { Query } from '../database/query.ts'
import { tenantEventStatement } from '../events/outbox.ts'
import { selection } from '../tables/selection.ts'
import { tenants } from '../tables/tables.ts'
import type { TenantConfiguration } from '../tenants/context.ts'
import type { TenantState } from '../tenants/tenants.ts'
import type { ExtendedTenant } from './extended-tenant.ts'
import { taskStatements } from './tasks.ts'
import { type Condition, valuesAt } from './value-search.ts'

/** The configuration of a tenant and its extensions. */
export interface StoredExtensions {
  readonly state: TenantState
  readonly version: number
  readonly configuration: TenantConfiguration
  readonly extensions: TenantExtensions
}

/** The extensions of a tenant; undefined if there is no such tenant. */
export function extensionsQuery(tenantId: string): Query<StoredExtensions | undefined> {
  return {
    statements: [CONFIGURATION.where(sql`id = ${tenantId}`)],
    read: ([result]) => {
      const found = CONFIGURATION.first(result)
      return found && storedExtensions(found)
    },
  }
}

const CONFIGURATION = selection(tenants, ['state', 'version', 'configuration'])

function storedExtensions({
  state,
  version,
  configuration: text,
}: Pick<typeof tenants.$inferSelect, 'state' | 'version' | 'configuration'>): StoredExtensions {
  const configuration: TenantConfiguration = JSON.parse(text ?? '{}')
  const { schemas } = configuration
  return {
    state,
    version,
    configuration,
    extensions: schemas === undefined ? NO_EXTENSIONS : decodeExtensions(schemas),
  }
}

/** The same, in a round trip of its own. */
export async function loadExtensions(db: Database, tenantId: string): Promise<StoredExtensions | undefined> {
  const { statements, read } = extensionsQuery(tenantId)
  return read(await db.batch(statements))
}

/** Attempts of one change: another request may change the configuration of the tenant at the same time. */
export const MAX_TRIES = 5

/**
 * Stores the extensions with the tasks that they require, in one transaction.
 *
 * @returns false when the configuration was changed meanwhile
 * @throws {SchemaRefused} when a condition is not met; nothing is changed then
 */
export async function storeExtensions(
  tenant: ExtendedTenant,
  { version, configuration, extensions: before }: StoredExtensions,
  after: TenantExtensions,
  conditions: readonly Condition[],
): Promise<boolean> {
  const { db, tenantId } = tenant
  const searches = [...Map.groupBy(conditions, ({ path }) => path[0]).values()]
  const isMet = searches.reduce((all, some) => sql`${all} AND NOT EXISTS (${valuesAt(tenant, some)})`, sql`1`)
  // Searched only if the first statement changed nothing, so that nothing is scanned twice.
  const found = searches.map(
    (some, i) => sql`CASE WHEN changes() = 0 THEN (${valuesAt(tenant, some)}) END AS ${sql.raw(`c${i}`)}`,
  )
  const text = configurationText(configuration, after)
  const isChange = text !== configurationText(configuration, before)
  const check = statement(sql`SELECT ${sql.join([sql`0 AS none`, ...found], sql`, `)}`)
  const isStored = sql`EXISTS (SELECT 1 FROM tenants WHERE id = ${tenantId} AND configuration IS ${text})`
  const [updated, checked] = await db.batch([
    statement(sql`UPDATE tenants SET configuration = ${text}
      WHERE id = ${tenantId} AND version = ${version} AND state = 'ready' AND ${isMet}`),
    // A SELECT leaves changes() as it is, and so does the event that follows it if an administrator makes the change.
    isChange ? { ...check, act: {} } : check,
    ...(changesShownValues(before, after)
      ? [tenantEventStatement(tenantId, TENANT_SCHEMAS_CHANGED, sql`changes() > 0`)]
      : []),
    ...taskStatements(tenantId, before, after, isStored),
  ])
  for (const [i, some] of searches.entries()) {
    const index = checked?.rows[0]?.[`c${i}`] ?? null
    const failed = index === null ? undefined : some[Number(index)]
    if (failed === undefined) continue
    throw new SchemaRefused(
      failed.field,
      `changes ${failed.what}, but resources have values for it: purge the schema first, or use another URN`,
    )
  }
  // More than one change when triggers copy the version to other rows.
  return (updated?.changes ?? 0) > 0
}

/** The stored form of a configuration: null for the default one. */
function configurationText(
  { schemas: _, ...others }: TenantConfiguration,
  after: TenantExtensions,
): string | null {
  const configuration = {
    ...others,
    ...(after.extensions.length > 0 && { schemas: encodeExtensions(after) }),
  }
  return Object.keys(configuration).length === 0 ? null : JSON.stringify(configuration)
}
