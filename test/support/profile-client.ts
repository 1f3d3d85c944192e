/**
 * Clients of tenants with a given profile.
 */
import type { ProfileName } from '../../src/scim/profile.ts'
import { admin, type Client, newClient } from './harness.ts'

/** Sets the profile of the client's tenant. */
export async function setProfile({ tenantId }: Client, profile: ProfileName): Promise<void> {
  const answer = await admin('PATCH', `/tenants/${tenantId}`, { profile })
  if (answer.body.profile !== profile) throw new Error(`profile not set: ${JSON.stringify(answer.body)}`)
}

/** Creates a tenant with the profile, and a client with a token of the tenant. */
export async function newClientWith(profile: ProfileName): Promise<Client> {
  const client = await newClient()
  await setProfile(client, profile)
  return client
}
