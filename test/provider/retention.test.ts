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
  const { deleted } = await pruneProvisioningLog(openDatabase(env.DB, figures), OLD + 31 * DAY_MS, 30)
  return { ...figures, deleted }
}

describe('pruneProvisioningLog', () => {
  it('reads what it deletes twice and a few rows of each tenant, however long the log is', async () => {
    const { tenantId } = await newClient()
    await prune()
    await addLogEntries(tenantId, 5_000, OLD + 7 * DAY_MS)
    const nothing = await prune()
    const tenants = await env.DB.prepare('SELECT count(*) AS n FROM tenants').first<number>('n')
    // What it writes is how far the clock can be believed.
    expect(nothing).toMatchObject({ deleted: 0, rowsWritten: 1 })
    expect(nothing.rowsRead).toBeLessThanOrEqual(6 * Number(tenants) + 10)
    await addLogEntries(tenantId, 100, OLD)
    const hundred = await prune()
    // The figures that test/bench/cost/model.ts counts with.
    expect(hundred).toMatchObject({ deleted: 100, rowsWritten: 100 + 2 })
    expect(hundred.rowsRead - nothing.rowsRead).toBeLessThanOrEqual(6 * 100)
  })
})
