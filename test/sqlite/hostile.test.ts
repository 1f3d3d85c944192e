/**
 * The short form of `npm run test:soak -- --hostile`: hostile requests against hostile stored data. Their cost is
 * counted in units of work, rows and stored bytes, so nothing here depends on a clock.
 */
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { MAX_PAGE_SIZE } from '../../src/scim/limits.ts'
import { AMPLIFIED } from '../reliability/hostile/amplified.ts'
import { MOST_STORED_BYTES, MOST_WORK, startLab } from '../reliability/hostile/lab.ts'
import { makeStored, STORED_KINDS, type StoredKind, userId } from '../reliability/hostile/stored.ts'
import { BULK_REQUEST, PATCH_OP } from '../support/urns.ts'
import { temporaryFolder } from './support/files.ts'

const SEED = 12
/** The number of requests of each kind against each tenant. */
const REQUESTS = 4
const folder = temporaryFolder()
const file = join(folder, 'directory.sqlite')
const tenants = makeStored(file, 0.05)
const lab = startLab(folder)
afterAll(() => lab.stop())

const pairs = Object.keys(AMPLIFIED).flatMap((kind) =>
  STORED_KINDS.map((tenant): [string, StoredKind] => [kind, tenant]),
)

describe('a hostile request', { timeout: 60_000 }, () => {
  it.for(pairs)('stays within its limits: %s, %s', async ([kind, tenant]) => {
    const { token, readToken } = tenants[tenant]
    for (const request of fc.sample(AMPLIFIED[kind] as (typeof AMPLIFIED)[string], {
      numRuns: REQUESTS,
      seed: SEED,
    })) {
      const cost = await lab.cost(request, request.kind === 'query' ? readToken : token)
      const what = `${request.method} ${request.path} ${request.body ?? ''}`.slice(0, 500)
      expect(cost.status, what).toBeLessThan(500)
      expect(cost.work, what).toBeLessThanOrEqual(MOST_WORK)
      expect(cost.rowsRead, what).toBeLessThanOrEqual(30 * MAX_PAGE_SIZE + cost.sentBytes)
      expect(cost.rowsWritten, what).toBeLessThanOrEqual(MAX_PAGE_SIZE + cost.sentBytes / 10)
      expect(cost.storedBytes, what).toBeLessThanOrEqual(MOST_STORED_BYTES + 8 * cost.sentBytes)
    }
  })
})

describe('a bulk request that changes and deletes the largest users', () => {
  it('is refused from the first operation beyond its limit of work', async () => {
    const patch = { schemas: [PATCH_OP], Operations: [{ op: 'replace', path: 'nickName', value: 'new' }] }
    const body = JSON.stringify({
      schemas: [BULK_REQUEST],
      Operations: Array.from({ length: 15 }, (_, i) => ({
        path: `/Users/${userId(i + 2)}`,
        ...(i < 1 ? { method: 'PATCH', data: patch } : { method: 'DELETE' }),
      })),
    })
    const { answer, work } = await lab.cost(
      { method: 'POST', path: '/scim/v2/Bulk', body },
      tenants['large users'].token,
    )
    const statuses = JSON.parse(answer).Operations.map(({ status }: { status: string }) => status)
    expect(statuses.slice(0, 4)).toEqual(['200', '204', '204', '400'])
    expect(new Set(statuses.slice(3))).toEqual(new Set(['400']))
    expect(work).toBeLessThanOrEqual(MOST_WORK)
  })
})
