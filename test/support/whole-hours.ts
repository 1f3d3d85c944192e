/**
 * The first write of a tenant in an hour stores a row more, the tenant's activity in this hour. No test begins in the last
 * seconds of an hour, so that those that compare written rows do not depend on the time of day.
 */
import { beforeEach } from 'vitest'

const HOUR_MS = 3_600_000
/** Longer than such a test takes on a slow machine. */
const LAST_MS = 5_000

beforeEach(async () => {
  const left = HOUR_MS - (Date.now() % HOUR_MS)
  if (left < LAST_MS) await new Promise((resolve) => setTimeout(resolve, left + 10))
})
