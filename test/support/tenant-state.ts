/**
 * The stored state of a tenant after a test, and its invariants.
 */
import { expect } from 'vitest'
import { violations } from '../reliability/model/invariants.ts'
import { readModelTenant, type Stored } from '../reliability/model/tenant.ts'

/** Reads the tenant. Fails the test if an invariant is violated. */
export async function soundState(tenantId: string): Promise<Stored> {
  const stored = await readModelTenant({ tenantId })
  expect(violations(stored)).toEqual([])
  return stored
}
