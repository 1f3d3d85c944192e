/**
 * Reads of many members. How long a read takes is known only afterwards, so this process remembers which reads took long:
 * the next one runs beside the requests of others. On D1 it makes no difference.
 */
import { FEW_MEMBERSHIPS } from './memberships.ts'

const MAX_READS = 1_000

const long = new Set<string>()

/** @param what the id of a group, or "list" */
export function readsManyMembers(tenantId: string, what: string): boolean {
  return long.has(`${tenantId} ${what}`)
}

/** Remembers that a read returned many members, so that the next one runs beside other requests. */
export function noteMembersRead(tenantId: string, what: string, members: number): void {
  if (members <= FEW_MEMBERSHIPS) return
  long.add(`${tenantId} ${what}`)
  if (long.size <= MAX_READS) return
  const [oldest] = long
  if (oldest !== undefined) long.delete(oldest)
}
