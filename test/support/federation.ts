/**
 * A client with a federation, the issuer that it trusts, and the app with a network in which only this issuer exists.
 */
import { env } from 'cloudflare:workers'
import { uuidv7 } from 'uuidv7'
import { createApp } from '../../src/app.ts'
import type { Runtime } from '../../src/runtime.ts'
import { openDatabase } from '../../src/storage/database/database.ts'
import { type Answer, admin, answerOf, Client, newClient, ORIGIN } from './harness.ts'
import { Issuer } from './issuer.ts'
import { TOKEN_URL } from './oauth.ts'
import { ONE_DATABASE } from './one-database.ts'
import { TEST_SETTINGS } from './settings.ts'

export const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const app = createApp()

export class FederatedClient {
  readonly tenantId: string
  readonly clientId: string
  readonly issuer: Issuer
  /** The clock of the server, and of the tokens of `assertion`. */
  now = Date.now()
  settings: Partial<Runtime['settings']> = {}
  isAllowed: Runtime['isAllowed'] = async () => true
  /** The tasks that the server does later. */
  readonly later: (() => Promise<void>)[] = []

  constructor(tenantId: string, clientId: string, issuer: Issuer) {
    this.tenantId = tenantId
    this.clientId = clientId
    this.issuer = issuer
  }

  get path(): string {
    return `/tenants/${this.tenantId}/clients/${this.clientId}`
  }

  readonly send = (request: Request): Promise<Answer> =>
    answerOf(request, (sent) => app.fetch(sent, this.#runtime()))

  /** An assertion as Entra sends it: see `Issuer.token`. */
  assertion(...[claims, header]: Parameters<Issuer['token']>): Promise<string> {
    return this.issuer.token(claims, header, this.now)
  }

  /** The request of a federated client. @param more replaces parameters; undefined: without the parameter */
  tokenRequest(
    assertion: string,
    more: Record<string, string | undefined> = {},
    headers: Record<string, string> = {},
  ): Request {
    const form = {
      grant_type: 'client_credentials',
      client_id: this.clientId,
      client_assertion: assertion,
      client_assertion_type: JWT_BEARER,
      ...more,
    }
    const given = Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== undefined)
    return new Request(TOKEN_URL, { method: 'POST', headers, body: new URLSearchParams(given) })
  }

  request(...request: Parameters<FederatedClient['tokenRequest']>): Promise<Answer> {
    return this.send(this.tokenRequest(...request))
  }

  /** A SCIM client with an access token. */
  async signedIn(): Promise<Client> {
    const { status, body } = await this.request(await this.assertion())
    if (status !== 200) throw new Error(`no access token: ${status} ${JSON.stringify(body)}`)
    return this.clientWith(body.access_token)
  }

  clientWith(token: string): Client {
    return new Client(this.tenantId, token, this.send)
  }

  /** A call of the admin API with the settings of this server. */
  admin(method: string, path: string, body?: unknown): Promise<Answer> {
    return this.send(
      new Request(`${ORIGIN}/admin/api${path}`, {
        method,
        headers: { Authorization: 'Bearer test-admin-token', 'Content-Type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    )
  }

  #runtime(): Runtime {
    return {
      ...ONE_DATABASE,
      openDatabase: (_name, figures) => openDatabase(env.DB, figures),
      isHealthy: async () => true,
      groupWriter: () => {
        throw new Error('the tests of federation write no groups')
      },
      now: () => this.now,
      newId: uuidv7,
      isAllowed: this.isAllowed,
      later: (_ms, task) => this.later.push(task),
      fetch: this.issuer.fetch,
      settings: { ...TEST_SETTINGS, ...this.settings },
    }
  }
}

/** A client that trusts a new issuer. @param trust replaces parts of the federation */
export async function newFederatedClient({
  tenantId,
  alg = 'RS256',
  trust = {},
  ...client
}: {
  tenantId?: string
  alg?: 'RS256' | 'ES256'
  trust?: Record<string, unknown>
  scope?: string
  tokenLifetime?: number
} = {}): Promise<FederatedClient> {
  const id = tenantId ?? (await newClient()).tenantId
  const issuer = await Issuer.create({ alg })
  const made = await admin('POST', `/tenants/${id}/clients`, { name: 'Entra', ...client })
  const federated = new FederatedClient(id, made.body.id, issuer)
  const put = await admin('PUT', `${federated.path}/federation`, { ...trustOf(issuer), ...trust })
  if (put.status !== 200) throw new Error(`no federation: ${JSON.stringify(put.body)}`)
  return federated
}

/** The federation that an administrator enters for an issuer. */
export function trustOf(issuer: Issuer) {
  const { iss, aud, sub, tid } = issuer.claims(0)
  return { issuer: iss, jwksUri: issuer.jwksUri, subject: sub, audiences: [aud, `api://${aud}`], tid }
}
