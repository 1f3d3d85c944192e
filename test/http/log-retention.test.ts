/**
 * The deletions of a cron run: by age, unless the clock jumps, and by size.
 */
import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, it } from 'vitest'
import { pruneProvisioningLog } from '../../src/provider/retention.ts'
import { MAX_LOG_BYTES } from '../../src/scim/limits.ts'
import { type Database, noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { DAY_MS, HOUR_MS } from '../support/clock.ts'
import { addLogEntries } from '../support/crowd.ts'
import { newClient } from '../support/harness.ts'

const NOW = Date.now()
const RETENTION_DAYS = 30

function prune(now: number) {
  return pruneProvisioningLog(openDatabase(env.DB, noFigures()), { now, retentionDays: RETENTION_DAYS })
}

const count = (tenantId: string) =>
  env.DB.prepare('SELECT count(*) AS count FROM provisioning_log WHERE tenant_id = ?')
    .bind(tenantId)
    .first<number>('count')

/** A log with one entry for each of the last 29 days. */
async function newLog(): Promise<string> {
  const { tenantId } = await newClient()
  for (let day = 1; day <= 29; day++) await addLogEntries(tenantId, 1, NOW - day * DAY_MS - HOUR_MS)
  return tenantId
}

// Sets the last run to now, because other tests change the clock.
beforeEach(async () => {
  await env.DB.prepare('UPDATE retention_clock SET time = ?').bind(NOW).run()
})

describe('a clock that is 40 days ahead', () => {
  it('deletes at most one day of entries in a run, and nothing once it is correct again', async () => {
    const tenantId = await newLog()
    expect(await prune(NOW + 40 * DAY_MS)).toMatchObject({ clockAheadHours: 39 * 24 })
    expect(await count(tenantId)).toBe(28)
    expect(await prune(NOW + HOUR_MS)).toMatchObject({ clockAheadHours: 0 })
    await prune(NOW + 2 * HOUR_MS)
    expect(await count(tenantId)).toBe(28)
  })

  it('is accepted after a day and a half of hourly runs', async () => {
    const tenantId = await newLog()
    for (let run = 0; run < 40; run++) await prune(NOW + 40 * DAY_MS + run * HOUR_MS)
    expect(await count(tenantId)).toBe(0)
  })
})

describe('a clock that is set back', () => {
  it('deletes nothing, and does not delay deletion once it is correct again', async () => {
    const tenantId = await newLog()
    await prune(NOW - 400 * DAY_MS)
    expect(await count(tenantId)).toBe(29)
    await prune(NOW + DAY_MS)
    expect(await count(tenantId)).toBe(28)
  })
})

describe('a run', () => {
  it('deletes the oldest entries of a log that is too large', async () => {
    const { tenantId } = await newClient()
    await addLogEntries(tenantId, 2_500, NOW - DAY_MS)
    const weigh = (bytes: number) =>
      env.DB.prepare('UPDATE tenants SET log_bytes = ?2 WHERE id = ?1').bind(tenantId, bytes).run()
    // A trigger deletes the first thousand. It does nothing when the size decreases.
    await weigh(MAX_LOG_BYTES + 2_000_000)
    await weigh(MAX_LOG_BYTES + 100)
    expect(await count(tenantId)).toBe(1_500)
    expect(await prune(NOW)).toMatchObject({ deleted: 1_000 })
    expect(await count(tenantId)).toBe(500)
  })

  it('subtracts entries deleted by age from the size of the log', async () => {
    const { tenantId } = await newClient()
    await addLogEntries(tenantId, 20, NOW - 31 * DAY_MS)
    await addLogEntries(tenantId, 10, NOW - DAY_MS)
    const bytes = async () => {
      return await env.DB.prepare(
        `SELECT sum(bytes) AS held, (SELECT log_bytes FROM tenants WHERE id = ?1) + (SELECT sum(log_bytes)
           FROM provisioning_activity WHERE tenant_id = ?1) AS counted FROM provisioning_log WHERE tenant_id = ?1`,
      )
        .bind(tenantId)
        .first<{ held: number; counted: number }>()
    }
    const before = await bytes()
    await prune(NOW)
    const after = await bytes()
    expect(await count(tenantId)).toBe(10)
    expect(before?.counted).toBe(before?.held)
    expect(after?.counted).toBe(after?.held)
  })

  it('sends fewer than 50 statements and leaves the remaining entries to the next run', async () => {
    const real = openDatabase(env.DB, noFigures())
    let statements = 0
    // Each batch reports that it reached its maximum.
    const endless: Database = {
      async batch(all) {
        statements += all.length
        const results = await real.batch(all)
        return results.map((result, i) =>
          all[i]?.sql.startsWith('DELETE FROM provisioning_log') ? { ...result, changes: 5_000 } : result,
        )
      },
    }
    const { deleted } = await pruneProvisioningLog(endless, { now: NOW, retentionDays: RETENTION_DAYS })
    expect(statements).toBeLessThan(50)
    expect(deleted).toBe(50_000)
  })
})
