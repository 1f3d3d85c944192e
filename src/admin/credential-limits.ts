/** The refusals of clients, tokens and client secrets beyond the limits of a tenant. */
import { quote } from '../scim/error.ts'
import { fullQuery, LIMITS, type LimitedKind } from '../storage/access/credential-limits.ts'
import type { Database } from '../storage/database/database.ts'
import { readTogether } from '../storage/database/query.ts'
import { number } from './components/number.ts'
import { AdminError } from './errors.ts'

const REMEDY: Readonly<Record<LimitedKind, string>> = {
  clients: 'clients, the limit; delete one first',
  tokens: 'tokens, the limit; revoke one first',
  secrets: 'client secrets, the limit; revoke one first',
}

/**
 * Called when nothing was stored.
 *
 * @param kinds what would have been stored
 * @throws {AdminError} 409 if the tenant has as many of one kind as it may
 */
export async function refuseBeyondLimits(
  db: Database,
  tenantId: string,
  kinds: readonly LimitedKind[],
): Promise<void> {
  const { full } = await readTogether(db, { full: fullQuery(tenantId) })
  const kind = kinds.find((one) => full.includes(one))
  if (kind === undefined) return
  const problem = `tenant ${quote(tenantId)} has ${number(LIMITS[kind])} ${REMEDY[kind]}`
  throw new AdminError(409, 'conflict', problem)
}
