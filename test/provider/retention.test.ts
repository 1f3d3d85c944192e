import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { pruneProvisioningLog } from '../../src/provider/retention.ts'
import { noFigures, openDatabase } from '../../src/storage/database.ts'
import { addLogEntries } from '../support/crowd.ts'
import { newClient } from '../support/harness.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** Long ago: entries of other tests are younger. */
const OLD = Date.UTC(2001)

async function prune() {
  const figures = noFigures()
  const deleted = await pruneProvisioningLog(openDatabase(env.DB, figures), OLD + 31 * DAY_MS, 30)
  return { ...figures, deleted }
}

describe('pruneProvisioningLog', () => {
  it('reads what it deletes and a row of each tenant, however long the log is', async () => {
    const { tenantId } = await newClient()
    await prune()
    await addLogEntries(tenantId, 5_000, OLD + 7 * DAY_MS)
    const nothing = await prune()
    const tenants = await env.DB.prepare('SELECT count(*) AS n FROM tenants').first<number>('n')
    expect(nothing).toMatchObject({ deleted: 0, rowsWritten: 0 })
    expect(nothing.rowsRead).toBeLessThanOrEqual(2 * Number(tenants) + 1)
    await addLogEntries(tenantId, 100, OLD)
    const hundred = await prune()
    // The figures that test/bench/cost/model.ts counts with.
    expect(hundred).toMatchObject({ deleted: 100, rowsWritten: 100 })
    expect(hundred.rowsRead - nothing.rowsRead).toBeLessThanOrEqual(4 * 100)
  })
})
