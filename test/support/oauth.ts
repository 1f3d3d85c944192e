/** Clients that authenticate at the token endpoint. */
import { type Answer, admin, Client, newClient, ORIGIN, send } from './harness.ts'

export const TOKEN_URL = `${ORIGIN}/oauth/token`

/** The answer of the admin API to a new secret. */
export interface NewSecret {
  readonly id: string
  readonly clientId: string
  readonly clientSecret: string
}

/** A client with a secret, in a tenant of its own or in a given one. */
export interface OauthClient extends NewSecret {
  readonly tenantId: string
}

export async function newOauthClient({
  tenantId,
  ...client
}: {
  tenantId?: string
  scope?: string
  tokenLifetime?: number
} = {}): Promise<OauthClient> {
  const id = tenantId ?? (await newClient()).tenantId
  const made = await admin('POST', `/tenants/${id}/clients`, { name: 'Entra', ...client })
  return { ...(await newSecret(id, made.body.id)), tenantId: id }
}

export async function newSecret(tenantId: string, clientId: string, input: object = {}): Promise<NewSecret> {
  const answer = await admin('POST', `/tenants/${tenantId}/clients/${clientId}/secrets`, input)
  if (answer.status !== 201) throw new Error(`secret not created: ${JSON.stringify(answer.body)}`)
  return answer.body
}

/** Sends a form, or a text as it is, to the token endpoint. */
export function requestToken(
  form: Record<string, string> | string,
  headers: Record<string, string> = {},
  method = 'POST',
  url = TOKEN_URL,
): Promise<Answer> {
  const body = typeof form === 'string' ? form : new URLSearchParams(form).toString()
  const type = { 'Content-Type': 'application/x-www-form-urlencoded' }
  return send(
    new Request(url, { method, headers: { ...type, ...headers }, ...(method === 'POST' && { body }) }),
  )
}

/** The form with the credential in the body. */
export function formOf({ clientId, clientSecret }: NewSecret, more: Record<string, string> = {}) {
  return { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, ...more }
}

/** The Authorization header with the credential. */
export function basic(clientId: string, clientSecret: string): Record<string, string> {
  return {
    Authorization: `Basic ${btoa(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`)}`,
  }
}

/** A SCIM client with an access token. */
export async function signedIn(client: OauthClient, more: Record<string, string> = {}): Promise<Client> {
  const { status, body } = await requestToken(formOf(client, more))
  if (status !== 200) throw new Error(`no access token: ${JSON.stringify(body)}`)
  return new Client(client.tenantId, body.access_token)
}
