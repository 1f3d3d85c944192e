/**
 * Who may change a resource, in a tenant with the mode "owner": the client that created it, and the administrator.
 */
import { quote, ScimError } from '../scim/error.ts'
import { administratorId } from '../storage/access/administrator.ts'
import { knownClient } from '../storage/access/known-tokens.ts'
import type { TenantContext } from '../storage/tenants/context.ts'

/**
 * Whether the actor may change a resource, as far as it is known.
 *
 * @param owner the client that created it; null if that is unknown, so that everyone may change it; undefined if it was not
 *   read
 */
export function mayChange(
  { tenantId, sourceMode, actor }: Pick<TenantContext, 'tenantId' | 'sourceMode' | 'actor'>,
  owner: string | null | undefined,
): boolean {
  if (sourceMode !== 'owner' || owner === null) return true
  const client = knownClient(actor)?.clientId
  return client !== undefined && (client === owner || client === administratorId(tenantId))
}

/** The refusal of a change by another client than the owner. @param ownerName undefined if the client is deleted */
export function ownedByAnother(typeName: string, id: string, ownerName: string | undefined): ScimError {
  const owner = ownerName === undefined ? 'a client that was deleted' : `the client ${quote(ownerName)}`
  return new ScimError(
    409,
    undefined,
    `${typeName} ${quote(id)} belongs to ${owner}, and only its owner may change it; an administrator can hand it over`,
  )
}
