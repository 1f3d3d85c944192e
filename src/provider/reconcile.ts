/**
 * Brings the catalogue and the databases together after one of them was restored to an earlier time. An old copy of a
 * tenant is closed, and the catalogue names the current one. storage/tenants/claims.ts tells which one that is.
 */
import type { StoredResourceType } from '../storage/tables/resource-tables.ts'
import {
  type Catalogued,
  type Claim,
  cataloguedOf,
  claimsOf,
  closeOldCopy,
  isNewer,
  missingTenants,
  noForwardingStatement,
  relocationStatement,
} from '../storage/tenants/claims.ts'
import { askDatabase, catalogueOf, type Databases, forgetLocation } from '../storage/tenants/locations.ts'

/** Reconciles several databases, and writes what it finds to the application log. */
export async function reconcileAndLog(...run: Parameters<typeof reconcileAll>): Promise<void> {
  const { findings, failures } = await reconcileAll(...run)
  if (findings.length > 0) console.log(JSON.stringify({ job: 'reconcile', findings }))
  for (const failure of failures) {
    console.error(JSON.stringify({ job: 'reconcile', message: String(failure) }))
  }
}

/** What was found about a tenant. */
export interface Finding {
  readonly tenantId: string
  /** The database that the tenant lives in now. */
  readonly database: string
  /**
   * What was done: the catalogue was corrected, an old copy was closed, or nothing, because the database does not have
   * the tenant.
   */
  readonly what: 'relocated' | 'old copy' | 'missing'
  /** The database with the closed copy, or the one that the catalogue named; null if the tenant is missing. */
  readonly other: string | null
}

/**
 * Reconciles the tenants of one database with the catalogue. Safe to interrupt and to run at any time, also during
 * moves.
 *
 * @throws {NamedDatabaseUnavailable} a database does not respond
 */
export async function reconcile(
  databases: Databases,
  types: readonly StoredResourceType[],
  name: string,
): Promise<readonly Finding[]> {
  const [first] = databases.names
  const catalogue = catalogueOf(databases)
  const claims = await askDatabase(databases, name, (db) => claimsOf(db, types))
  const catalogued = await cataloguedOf(
    catalogue,
    claims.map(({ id }) => id),
  )
  const homeOf = (id: string) => catalogued.locations.get(id) ?? first
  const misplaced = claims.filter((claim) => homeOf(claim.id) !== name && !isMoving(claim, catalogued))
  const findings: Finding[] = []
  for (const [home, group] of Map.groupBy(misplaced, ({ id }) => homeOf(id))) {
    if (!databases.names.includes(home)) continue
    const ids = group.map(({ id }) => id)
    const others = await askDatabase(databases, home, (db) => claimsOf(db, types, ids))
    for (const claim of group) {
      const other = others.find(({ id }) => id === claim.id)
      const finding = await settle(databases, types, { claim, name, other, home })
      if (finding !== undefined) findings.push(finding)
    }
  }
  if (name === first) return findings
  const missing = await askDatabase(databases, name, (db) => missingTenants(catalogue, db, name))
  return [
    ...findings,
    ...missing.map((tenantId) => ({ tenantId, database: name, what: 'missing' as const, other: null })),
  ]
}

/** Both sides of a move have the tenant until its job is done. */
function isMoving({ state, moveJobId }: Claim, { runningMoves }: Catalogued): boolean {
  return state === 'moving' && moveJobId !== null && runningMoves.has(moveJobId)
}

interface Conflict {
  /** The tenant in a database that the catalogue does not name. */
  readonly claim: Claim
  readonly name: string
  /** The tenant in the database that the catalogue names, if it is there. */
  readonly other: Claim | undefined
  readonly home: string
}

async function settle(
  databases: Databases,
  types: readonly StoredResourceType[],
  { claim, name, other, home }: Conflict,
): Promise<Finding | undefined> {
  const [first] = databases.names
  const tenantId = claim.id
  const close = async (at: string, old: Claim, current: string) =>
    await closeOldCopy(databases.open(at), old, at === first ? undefined : current)
  if (other !== undefined && !isNewer(claim, other)) {
    await close(name, claim, home)
    return { tenantId, database: home, what: 'old copy', other: name }
  }
  // The deletion continues where the tenant is.
  if (claim.state === 'deleting') return undefined
  // The old copy is closed first, so that two copies are never open.
  if (other !== undefined) await close(home, other, name)
  if (name !== first) await databases.open(name).batch([noForwardingStatement(tenantId)])
  await catalogueOf(databases).batch([relocationStatement({ tenantId, from: home, to: name, first })])
  // A deletion may have removed the tenant from the catalogue before it was added.
  const [found] = await claimsOf(databases.open(name), types, [tenantId])
  if (found === undefined || found.state === 'deleting') {
    await catalogueOf(databases).batch([forgetLocation(tenantId, name)])
    return undefined
  }
  return { tenantId, database: name, what: 'relocated', other: home }
}

/** The usual statements of `reconcile`. An old copy takes a few more. */
export const RECONCILE_STATEMENTS = 5

/**
 * Reconciles several databases. One that does not respond does not keep the others from it.
 *
 * @param names the databases; by default, all
 * @returns the failures too
 */
export async function reconcileAll(
  databases: Databases,
  types: readonly StoredResourceType[],
  names: readonly string[] = databases.names,
): Promise<{ readonly findings: readonly Finding[]; readonly failures: readonly unknown[] }> {
  const findings: Finding[] = []
  const failures: unknown[] = []
  for (const name of databases.names.length > 1 ? names : []) {
    try {
      findings.push(...(await reconcile(databases, types, name)))
    } catch (error) {
      failures.push(error)
    }
  }
  return { findings, failures }
}
