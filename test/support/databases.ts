/**
 * Three databases in workerd, and what they hold of a tenant.
 */
import { env } from 'cloudflare:workers'
import { getTableConfig } from 'drizzle-orm/sqlite-core'
import { type D1Binding, noFigures, openDatabase } from '../../src/storage/database.ts'
import type { Databases } from '../../src/storage/databases.ts'
import { TENANT_TABLES } from '../../src/storage/tenant-copy.ts'

export const BINDINGS: Readonly<Record<string, D1Binding>> = {
  DB: env.DB,
  DB2: env.TEST_DB2,
  DB3: env.TEST_DB3,
}

/** @param wrap gives each of them something that goes wrong */
export function threeDatabases(
  wrap: (binding: D1Binding, name: string) => D1Binding = (binding) => binding,
): Databases {
  return {
    names: ['DB', 'DB2', 'DB3'],
    maxBytes: 10_000_000_000,
    open: (name) => openDatabase(wrap(BINDINGS[name] as D1Binding, name), noFigures()),
  }
}

/** Everything that a database holds of a tenant, but for what tells that it moved. */
export async function rowsOf(name: string, tenantId: string): Promise<Record<string, unknown[]>> {
  const binding = BINDINGS[name] as D1Binding
  const select = async (table: string, column: string, hidden: readonly string[]) => {
    const order = TENANT_TABLES.find((one) => one.name === table)?.key.join(', ') ?? 'id'
    const { results } = await binding
      .prepare(`SELECT * FROM ${table} WHERE ${column} = ? ORDER BY ${order}`)
      .bind(tenantId)
      .all<Record<string, unknown>>()
    return results.map((row) =>
      Object.fromEntries(Object.entries(row).filter(([key]) => !hidden.includes(key))),
    )
  }
  const tables = await Promise.all(
    TENANT_TABLES.map(async ({ table }) => {
      const { name: table_ } = getTableConfig(table)
      return [table_, await select(table_, 'tenant_id', ['tenant_state', 'last_used_at'])] as const
    }),
  )
  const tenants = await select('tenants', 'id', ['state', 'move_job_id', 'copied_until'])
  return { tenants, ...Object.fromEntries(tables) }
}

/** The state of the tenant's row in each database; undefined where there is none. */
export async function statesOf(tenantId: string): Promise<Record<string, string | undefined>> {
  const states = Object.entries(BINDINGS).map(async ([name, binding]) => {
    const row = await binding
      .prepare('SELECT state FROM tenants WHERE id = ?')
      .bind(tenantId)
      .first<{ state: string }>()
    return [name, row?.state] as const
  })
  return Object.fromEntries(await Promise.all(states))
}
