/**
 * A client of a tenant with another profile than the default. In workerd only: see lab.ts.
 */
import type { ProfileName } from '../../src/scim/profile.ts'
import { PROFILES } from '../../src/scim/profile.ts'
import { type Answer, Client, newClient, TENANT_URL } from './harness.ts'
import { labRuntime, sendTo } from './lab.ts'

class ProfileClient extends Client {
  readonly #runtime: ReturnType<typeof labRuntime>

  constructor({ tenantId, token }: Client, profile: ProfileName) {
    super(tenantId, token)
    this.#runtime = labRuntime({ profileOf: () => PROFILES[profile] })
  }

  override async request(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await sendTo(
      this.#runtime,
      new Request(`${TENANT_URL}${path}`, {
        method,
        headers: {
          Authorization: `Bearer ${this.token}`,
          ...(body === undefined ? {} : { 'Content-Type': 'application/scim+json; charset=utf-8' }),
          'CF-Connecting-IP': crypto.randomUUID(),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    )
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : JSON.parse(text),
    }
  }
}

/** The same client, as if its tenant had the profile. */
export function ofProfile(client: Client, profile: ProfileName): Client {
  return new ProfileClient(client, profile)
}

/** A new tenant with the profile, and a client with a token for it. */
export async function newClientWith(profile: ProfileName): Promise<Client> {
  return ofProfile(await newClient(), profile)
}
