/** Clients whose health changes. */
import { env } from 'cloudflare:workers'
import { noticeClientHealth } from '../../src/provider/client-health.ts'
import { noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { HOUR_MS } from './clock.ts'
import type { Client } from './harness.ts'

/** Looks for changes of the health of all clients, as the hourly run does. @param now milliseconds since 1970 */
export function noticeHealth(now = Date.now(), maxStatements = Number.POSITIVE_INFINITY) {
  return noticeClientHealth(openDatabase(env.DB, noFigures()), now, maxStatements)
}

/** Causes an event that a client takes unusually much away. */
export async function causeUnusualDeprovisioning(client: Client): Promise<void> {
  const users: { id: string }[] = []
  for (let i = 0; i < 25; i++) users.push(await client.createUser())
  for (const { id } of users) await client.request('DELETE', `/Users/${id}`)
}

/** Causes an event of each type about a client that has sent ten writes. */
export async function causeClientEvents({ tenantId }: Client): Promise<void> {
  const now = Date.now()
  await noticeHealth(now)
  await noticeHealth(now + 50 * HOUR_MS)
  await noticeHealth(now + 80 * HOUR_MS)
  await noticeHealth(now)
  await env.DB.prepare(
    `UPDATE provisioning_log SET outcome = 'refused', repeated = repeated + 1 WHERE tenant_id = ? AND action <> 'authenticate'`,
  )
    .bind(tenantId)
    .run()
  await noticeHealth(now)
}
