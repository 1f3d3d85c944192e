/** Handlers of the client routes. */
import { NO_FACTS } from '../../scim/client-health.ts'
import { MINUTE_MS } from '../../scim/duration.ts'
import { quote } from '../../scim/error.ts'
import { pathSegment } from '../../scim/path-segment.ts'
import { secretsQuery } from '../../storage/access/client-secrets.ts'
import {
  clientQuery,
  clientsQuery,
  insertClient,
  newClientId,
  updateClient,
} from '../../storage/access/clients.ts'
import { trustQuery } from '../../storage/access/trusts.ts'
import { readTogether } from '../../storage/database/query.ts'
import { deprovisioningQuery, releaseClient } from '../../storage/guard/releases.ts'
import { clientFactsQuery } from '../../storage/log/client-facts.ts'
import { getTenant, tenantQuery } from '../../storage/tenants/queries.ts'
import type { clientRoutes } from '../contract/clients.ts'
import { ADMIN_API_PATH } from '../contract/routes.ts'
import { refuseBeyondLimits } from '../credential-limits.ts'
import { deleteClientOf } from '../end-access.ts'
import { AdminError } from '../errors.ts'
import { clientJson, federationJson, secretJson } from '../read-models.ts'
import { requireTenant } from '../require-tenant.ts'
import { notReady } from '../tenant-state.ts'
import type { Handlers } from './serve.ts'

export const clientHandlers: Handlers<typeof clientRoutes> = {
  async listClients({ db, parameters: { id }, c }) {
    const now = c.env.now()
    const { tenant, clients, facts, guarded } = await readTogether(db, {
      tenant: tenantQuery(id),
      clients: clientsQuery(id),
      facts: clientFactsQuery(id, now),
      guarded: deprovisioningQuery(id, now),
    })
    requireTenant(tenant, id)
    return {
      status: 200,
      body: {
        clients: clients.map((client) =>
          clientJson(client, facts.get(client.id), guarded.get(client.id), now),
        ),
      },
    }
  },

  async createClient({ db, parameters: { id }, body, c }) {
    const client = { ...body, id: newClientId(id), createdAt: c.env.now(), lastUsedAt: null }
    if (!(await insertClient(db, id, client))) {
      await refuseBeyondLimits(db, id, ['clients'])
      throw notReady(requireTenant(await getTenant(db, id), id))
    }
    const Location = `${ADMIN_API_PATH}/tenants/${pathSegment(id)}/clients/${pathSegment(client.id)}`
    const facts = body.scope === 'provision' ? NO_FACTS : undefined
    return {
      status: 201,
      body: clientJson(client, facts, undefined, client.createdAt),
      headers: { Location },
    }
  },

  async getClient({ db, parameters: { id, clientId }, c }) {
    const now = c.env.now()
    const { client, facts, guarded, secrets, trust } = await readTogether(db, {
      client: clientQuery(id, clientId),
      facts: clientFactsQuery(id, now),
      guarded: deprovisioningQuery(id, now),
      secrets: secretsQuery(id, clientId),
      trust: trustQuery(id, clientId),
    })
    const found = clientJson(
      requireClient(client, id, clientId),
      facts.get(clientId),
      guarded.get(clientId),
      now,
    )
    const federation = trust === undefined ? null : federationJson(trust)
    return { status: 200, body: { ...found, secrets: secrets.map(secretJson), federation } }
  },

  async updateClient({ db, parameters: { id, clientId }, body, c }) {
    const now = c.env.now()
    const client = requireClient(await updateClient(db, id, clientId, body), id, clientId)
    const { facts, guarded } = await readTogether(db, {
      facts: clientFactsQuery(id, now),
      guarded: deprovisioningQuery(id, now),
    })
    return { status: 200, body: clientJson(client, facts.get(clientId), guarded.get(clientId), now) }
  },

  async releaseClient({ db, parameters: { id, clientId }, body: { minutes }, c }) {
    const until = c.env.now() + minutes * MINUTE_MS
    if (!(await releaseClient(db, id, clientId, until))) {
      const { tenant, client } = await readTogether(db, {
        tenant: tenantQuery(id),
        client: clientQuery(id, clientId),
      })
      requireClient(client, id, clientId)
      throw notReady(requireTenant(tenant, id))
    }
    return { status: 200, body: { releasedUntil: new Date(until).toISOString() } }
  },

  async deleteClient({ parameters: { id, clientId }, c }) {
    if (!(await deleteClientOf(c, id, clientId))) throw noClient(id, clientId)
    return { status: 204 }
  },
}

function requireClient<Client>(client: Client | undefined, tenantId: string, id: string): Client {
  if (client === undefined) throw noClient(tenantId, id)
  return client
}

/** The error for an id that no client of the tenant has. */
export function noClient(tenantId: string, id: string): AdminError {
  return new AdminError(404, 'notFound', `tenant ${quote(tenantId)} has no client ${quote(id)}`)
}
