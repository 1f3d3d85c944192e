/** Several clients of one tenant. */
import { env } from 'cloudflare:workers'
import { Client, newToken } from './harness.ts'

/** Another client of the tenant. */
export async function secondSource(
  { tenantId }: Client,
  name = 'AD connector',
  scope: 'provision' | 'read' = 'provision',
): Promise<Client> {
  return new Client(tenantId, (await newToken(tenantId, { name, scope })).token)
}

/** The id of the client that a token belongs to. */
export async function clientIdOf({ token }: Client): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))
  const hash = Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('')
  const found = await env.DB.prepare('SELECT client_id AS id FROM tokens WHERE hash = ?')
    .bind(hash)
    .first<{ id: string }>()
  if (found === null) throw new Error('the token is not stored')
  return found.id
}
