/**
 * The harness, whose new clients are of tenants with the profile `strict`: vitest.config.ts puts it in the place of
 * harness.ts where the conformance tests run a second time.
 */
import { type Client, newClient as newTolerantClient } from './harness.ts'
import { setProfile } from './profile-client.ts'

export * from './harness.ts'

export async function newClient(...options: Parameters<typeof newTolerantClient>): Promise<Client> {
  const client = await newTolerantClient(...options)
  await setProfile(client, 'strict')
  return client
}
