/**
 * Clients of tenants with another profile than the default.
 */
import type { ProfileName } from '../../src/scim/profile.ts'
import { admin, type Client, newClient } from './harness.ts'

/** Gives the tenant of the client the profile. */
export async function setProfile({ tenantId }: Client, profile: ProfileName): Promise<void> {
  const answer = await admin('PATCH', `/tenants/${tenantId}`, { profile })
  if (answer.body.profile !== profile) throw new Error(`profile not set: ${JSON.stringify(answer.body)}`)
}

/** A new tenant with the profile, and a client with a token for it. */
export async function newClientWith(profile: ProfileName): Promise<Client> {
  const client = await newClient()
  await setProfile(client, profile)
  return client
}
