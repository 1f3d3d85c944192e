/** Handlers of the federation routes. */
import { quote } from '../../scim/error.ts'
import { putTrust } from '../../storage/access/trusts.ts'
import type { federationRoutes } from '../contract/federation.ts'
import { deleteTrustOf } from '../end-access.ts'
import { AdminError } from '../errors.ts'
import { trustOf } from '../federation.ts'
import { federationJson } from '../read-models.ts'
import { tenantUrl, tokenUrl } from '../tenant-url.ts'
import { noClient } from './clients.ts'
import type { Handlers } from './serve.ts'

export const federationHandlers: Handlers<typeof federationRoutes> = {
  async putFederation({ db, parameters: { id, clientId }, body, c }) {
    const trust = await putTrust(db, id, trustOf(c, clientId, body))
    if (trust === undefined) throw noClient(id, clientId)
    return { status: 200, body: { ...federationJson(trust), tokenUrl: tokenUrl(c), tenantUrl: tenantUrl(c) } }
  },

  async deleteFederation({ parameters: { id, clientId }, c }) {
    if (!(await deleteTrustOf(c, id, clientId))) throw noFederation(id, clientId)
    return { status: 204 }
  },
}

function noFederation(tenantId: string, clientId: string): AdminError {
  return new AdminError(
    404,
    'notFound',
    `tenant ${quote(tenantId)} has no client ${quote(clientId)} with a federation`,
  )
}
