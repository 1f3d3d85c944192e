/**
 * The Worker with three databases, and the data of a tenant in each of them.
 */
import { createExecutionContext, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { type D1Binding, noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import type { Databases } from '../../src/storage/tenants/locations.ts'
import { tenantTables } from '../../src/storage/tenants/tenant-tables.ts'
import worker, { type WorkerEnv } from '../../src/worker.ts'
import { type Answer, Client, ORIGIN, TENANT_URL } from './harness.ts'

export const BINDINGS: Readonly<Record<string, D1Binding>> = {
  DB: env.DB,
  DB2: env.TEST_DB2,
  DB3: env.TEST_DB3,
}

const TABLES = tenantTables(RESOURCE_TYPES)

/** @param wrap injects faults into a database */
export function threeDatabases(
  wrap: (binding: D1Binding, name: string) => D1Binding = (binding) => binding,
): Databases {
  return {
    names: ['DB', 'DB2', 'DB3'],
    // Other tests fake the counts by which the size of a database is estimated.
    maxBytes: Number.POSITIVE_INFINITY,
    open: (name) => openDatabase(wrap(BINDINGS[name] as D1Binding, name), noFigures()),
  }
}

/** All rows of a tenant in a database, without the columns that a move changes. */
export async function rowsOf(name: string, tenantId: string): Promise<Record<string, unknown[]>> {
  const binding = BINDINGS[name] as D1Binding
  const select = async (table: string, column: string, hidden: readonly string[]) => {
    const order = TABLES.find((one) => one.name === table)?.key.join(', ') ?? 'id'
    const { results } = await binding
      .prepare(`SELECT * FROM ${table} WHERE ${column} = ? ORDER BY ${order}`)
      .bind(tenantId)
      .all<Record<string, unknown>>()
    return results.map((row) =>
      Object.fromEntries(Object.entries(row).filter(([key]) => !hidden.includes(key))),
    )
  }
  const tables = await Promise.all(
    TABLES.map(
      async ({ name: table }) =>
        [table, await select(table, 'tenant_id', ['tenant_state', 'last_used_at'])] as const,
    ),
  )
  const tenants = await select('tenants', 'id', ['state', 'move_job_id', 'copied_until', 'moves'])
  return { tenants, ...Object.fromEntries(tables) }
}

/** The state of the tenant's row in each database. Undefined if there is no row. */
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

/** Empties the catalogue. Tests of one database share it, and an unknown database in it is an error for them. */
export async function clearLocations(): Promise<void> {
  await env.DB.prepare('DELETE FROM tenant_locations').run()
}

/** The Runtime of a Worker with three databases, including the Durable Object of a tenant. */
export const SEVERAL = { ...env, DB2: env.TEST_DB2, DB3: env.TEST_DB3 }

/** Sends a request to the Worker with three databases. */
export async function sendSeveral(request: Request, bindings: WorkerEnv = SEVERAL): Promise<Answer> {
  if (!request.headers.has('CF-Connecting-IP')) request.headers.set('CF-Connecting-IP', crypto.randomUUID())
  const response = await worker.fetch(request as never, bindings, createExecutionContext())
  const text = await response.text()
  const { status, headers } = response
  const isJson = /json/.test(headers.get('Content-Type') ?? '')
  return { status, headers, body: isJson && text !== '' ? JSON.parse(text) : text }
}

export function adminOfSeveral(
  method: string,
  path: string,
  body?: unknown,
  bindings?: WorkerEnv,
): Promise<Answer> {
  return sendSeveral(
    new Request(`${ORIGIN}/admin/api${path}`, {
      method,
      headers: { Authorization: 'Bearer test-admin-token', 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
    bindings,
  )
}

/** A client of the Worker with three databases. */
export class ClientOfSeveral extends Client {
  override request(method: string, path: string, body?: unknown): Promise<Answer> {
    return this.send(method, path, body)
  }

  /** @param bindings of the Worker that is asked */
  send(method: string, path: string, body?: unknown, bindings?: WorkerEnv): Promise<Answer> {
    return sendSeveral(
      new Request(`${TENANT_URL}${path}`, {
        method,
        headers: { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/scim+json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
      bindings,
    )
  }
}

/** Gives the Durable Object of a tenant access to three databases until it is reset. */
export async function giveDatabases(tenantId: string): Promise<void> {
  await runInDurableObject(env.GROUP_COORDINATOR.getByName(tenantId), (instance) => {
    const own = instance as unknown as { env: typeof env }
    const { TEST_DB2: DB2, TEST_DB3: DB3 } = env
    Object.defineProperty(own, 'env', { value: { ...own.env, DB2, DB3 }, configurable: true })
  })
}

/** Creates a tenant in a database, and a client with a token of the tenant. */
export async function newClientIn(database: string): Promise<ClientOfSeveral> {
  const id = `t-${crypto.randomUUID()}`
  const made = await adminOfSeveral('POST', '/tenants', { id, name: 'Test', database })
  if (made.status !== 201) throw new Error(`tenant not created: ${JSON.stringify(made.body)}`)
  await giveDatabases(id)
  const { body } = await adminOfSeveral('POST', `/tenants/${id}/tokens`, { name: 'Test' })
  return new ClientOfSeveral(id, body.token)
}
