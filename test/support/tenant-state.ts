/**
 * What the database holds of a tenant after a test, and whether it breaks a rule.
 */
import { expect } from 'vitest'
import { readArena, type Stored } from '../reliability/model/arena.ts'
import { violations } from '../reliability/model/invariants.ts'

/** Reads the tenant. Fails the test when something is there that must never be. */
export async function soundState(tenantId: string): Promise<Stored> {
  const stored = await readArena({ tenantId })
  expect(violations(stored)).toEqual([])
  return stored
}
