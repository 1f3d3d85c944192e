/**
 * The short form of `npm run test:soak -- --hostile`: hostile requests against stored data that is hostile too, and what
 * they cost by what is counted: units of work, rows, stored bytes. Nothing here depends on a clock.
 */
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { MAX_PAGE_SIZE, MAX_WORK_UNITS } from '../../src/scim/limits.ts'
import { AMPLIFIED } from '../reliability/hostile/amplified.ts'
import { startLab } from '../reliability/hostile/lab.ts'
import { makeStored, STORED_KINDS, type StoredKind } from '../reliability/hostile/stored.ts'
import { temporaryFolder } from './support/files.ts'

const SEED = 12
/** Of each kind, against each tenant. */
const REQUESTS = 8
const folder = temporaryFolder()
const file = join(folder, 'directory.sqlite')
const tenants = makeStored(file, 0.05)
const lab = startLab(folder)
afterAll(() => lab.stop())

const pairs = Object.keys(AMPLIFIED).flatMap((kind) =>
  STORED_KINDS.map((tenant): [string, StoredKind] => [kind, tenant]),
)

describe('a hostile request', { timeout: 60_000 }, () => {
  it.for(pairs)('costs no more than it may: %s, %s', async ([kind, tenant]) => {
    const { token, readToken } = tenants[tenant]
    for (const request of fc.sample(AMPLIFIED[kind] as (typeof AMPLIFIED)[string], {
      numRuns: REQUESTS,
      seed: SEED,
    })) {
      const cost = await lab.cost(request, request.kind === 'query' ? readToken : token)
      const what = `${request.method} ${request.path} ${request.body ?? ''}`.slice(0, 500)
      expect(cost.status, what).toBeLessThan(500)
      // What is refused is refused before it is done: no step costs much more than is left.
      expect(cost.work, what).toBeLessThanOrEqual(1.1 * MAX_WORK_UNITS)
      expect(cost.rowsRead, what).toBeLessThanOrEqual(30 * MAX_PAGE_SIZE + cost.sentBytes)
      expect(cost.rowsWritten, what).toBeLessThanOrEqual(MAX_PAGE_SIZE + cost.sentBytes / 10)
      expect(cost.storedBytes, what).toBeLessThanOrEqual(256 * 1024 + 8 * cost.sentBytes)
    }
  })
})
