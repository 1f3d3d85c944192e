/**
 * A replacement of harness.ts whose new tenants have the profile `strict`. vitest.config.ts uses it for the second run of
 * the conformance tests.
 */
import { type Client, newClient as newTolerantClient } from './harness.ts'
import { setProfile } from './profile-client.ts'

export * from './harness.ts'

export async function newClient(...options: Parameters<typeof newTolerantClient>): Promise<Client> {
  const client = await newTolerantClient(...options)
  await setProfile(client, 'strict')
  return client
}
