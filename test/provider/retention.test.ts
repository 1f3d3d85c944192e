import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { pruneProvisioningLog } from '../../src/provider/retention.ts'
import { noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { addLogEntries } from '../support/crowd.ts'
import { admin, newClient, newToken } from '../support/harness.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** So long ago that the entries of other tests are younger. */
const OLD = Date.UTC(2001)

async function prune(now = OLD + 31 * DAY_MS) {
  const figures = noFigures()
  const { deleted } = await pruneProvisioningLog(openDatabase(env.DB, figures), { now, retentionDays: 30 })
  return { ...figures, deleted }
}

describe('pruneProvisioningLog', () => {
  it('reads each deleted row twice and a few rows of each tenant, however long the log is', async () => {
    const { tenantId } = await newClient()
    await prune()
    await addLogEntries(tenantId, 5_000, OLD + 7 * DAY_MS)
    const nothing = await prune()
    const tenants = await env.DB.prepare('SELECT count(*) AS n FROM tenants').first<number>('n')
    // The run stores the believed time.
    expect(nothing).toMatchObject({ deleted: 0, rowsWritten: 1 })
    expect(nothing.rowsRead).toBeLessThanOrEqual(6 * Number(tenants) + 10)
    await addLogEntries(tenantId, 100, OLD)
    const hundred = await prune()
    // test/bench/cost/model.ts uses these figures.
    expect(hundred).toMatchObject({ deleted: 100, rowsWritten: 100 + 2 })
    expect(hundred.rowsRead - nothing.rowsRead).toBeLessThanOrEqual(6 * 100)
  })
})

describe('a token that has ended', () => {
  it('is deleted once the log cannot have entries of it, and so is a deleted client', async () => {
    const { tenantId } = await newClient()
    const [revoked, expired, live] = [
      await newToken(tenantId),
      await newToken(tenantId),
      await newToken(tenantId),
    ]
    const set = (column: string, id: string) =>
      env.DB.prepare(`UPDATE tokens SET ${column} = ?2, last_used_at = ?3 WHERE id = ?1`)
        .bind(id, OLD, OLD - 1)
        .run()
    await set('revoked_at', revoked.id)
    await set('expires_at', expired.id)
    await env.DB.prepare('UPDATE clients SET deleted_at = ?2 WHERE id = ?1').bind(revoked.clientId, OLD).run()
    const tokens = async () =>
      (await admin('GET', `/tenants/${tenantId}/tokens`)).body.tokens.map(({ id }: { id: string }) => id)
    await prune(OLD + 29 * DAY_MS)
    expect(await tokens()).toEqual(expect.arrayContaining([revoked.id, expired.id, live.id]))
    await prune(OLD + 31 * DAY_MS)
    const left = await tokens()
    expect(left).toContain(live.id)
    expect(left).not.toContain(revoked.id)
    expect(left).not.toContain(expired.id)
    const clients = await env.DB.prepare('SELECT id, last_used_at FROM clients WHERE id IN (?1, ?2)')
      .bind(revoked.clientId, expired.clientId)
      .all()
    // The client itself was not deleted, and has the last use of its token.
    expect(clients.results).toEqual([{ id: expired.clientId, last_used_at: OLD - 1 }])
  })
})
