/**
 * Deletes groups without the background work that follows, so that tests see what is between the two.
 */
import { env } from 'cloudflare:workers'
import { uuidv7 } from 'uuidv7'
import { createApp } from '../../src/app.ts'
import { runJob } from '../../src/provider/jobs/runner.ts'
import type { OpenDatabase, Runtime } from '../../src/runtime.ts'
import { groupWriters } from '../../src/self-hosted/group-writers.ts'
import { type D1Binding, noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { RESOURCE_TYPES } from '../../src/storage/tables/resource-tables.ts'
import type { Databases } from '../../src/storage/tenants/locations.ts'
import { type Answer, answerOf, type Client, TENANT_URL } from './harness.ts'
import { ONE_DATABASE } from './one-database.ts'
import { TEST_SETTINGS } from './settings.ts'

const app = createApp()
const MAX_CALLS = 1_000

/** Deletes a group. Memberships that are left stay until `deleteLeft`. @param binding of the tenant's database */
export async function deleteAndHold(
  client: Client,
  id: string,
  binding: D1Binding = env.DB,
): Promise<Answer> {
  const open: OpenDatabase = (_name, figures) => openDatabase(binding, figures)
  const shared = { openDatabase: open, newId: uuidv7, now: Date.now }
  const groupWriter = groupWriters({
    ...shared,
    resourceTypes: RESOURCE_TYPES,
    wakeJobs: ONE_DATABASE.wakeJobs,
  })
  const runtime: Runtime = {
    ...shared,
    ...ONE_DATABASE,
    groupWriter,
    isHealthy: async () => true,
    isAllowed: async () => true,
    later: () => undefined,
    fetch: () => Promise.reject(new Error('no network')),
    settings: { ...TEST_SETTINGS, adminToken: undefined },
  }
  const headers = { Authorization: `Bearer ${client.token}` }
  const request = new Request(`${TENANT_URL}/Groups/${id}`, { method: 'DELETE', headers })
  return await answerOf(request, (sent) => app.fetch(sent, runtime))
}

/** The number of memberships of a group in the database, whether it exists or not. */
export async function membershipsOf(tenantId: string, groupId: string, binding = env.DB): Promise<number> {
  const row = await binding
    .prepare('SELECT count(*) AS n FROM memberships WHERE tenant_id = ?1 AND group_id = ?2')
    .bind(tenantId, groupId)
    .first<{ n: number }>()
  return row?.n ?? 0
}

/** Does the pending work on a tenant to its end. @returns the number of calls that it took */
export async function deleteLeft(tenantId: string, maxStatements = 50): Promise<number> {
  const databases: Databases = {
    names: ['DB'],
    maxBytes: Number.POSITIVE_INFINITY,
    open: () => openDatabase(env.DB, noFigures()),
  }
  const run = { databases, resourceTypes: RESOURCE_TYPES, maxStatements, now: Date.now }
  for (let calls = 1; calls < MAX_CALLS; calls++)
    if ((await runJob(run, tenantId)) === undefined) return calls
  throw new Error(`the pending work is not done after ${MAX_CALLS} calls of ${maxStatements} statements`)
}
