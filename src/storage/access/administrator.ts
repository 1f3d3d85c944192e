/**
 * The administrator as a client of a tenant: the actor of the writes that an administrator has done. It is no source of
 * conflicts, and may change every resource.
 */

/** The id of the client. */
export function administratorId(tenantId: string): string {
  return `${tenantId}_administrator`
}
