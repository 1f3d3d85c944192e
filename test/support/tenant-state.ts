/**
 * What the database holds of a tenant after a test, and whether it breaks a rule.
 */
import { expect } from 'vitest'
import { violations } from '../reliability/model/invariants.ts'
import { readModelTenant, type Stored } from '../reliability/model/tenant.ts'

/** Reads the tenant. Fails the test when something is there that must never be. */
export async function soundState(tenantId: string): Promise<Stored> {
  const stored = await readModelTenant({ tenantId })
  expect(violations(stored)).toEqual([])
  return stored
}
