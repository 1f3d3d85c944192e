/** Handlers of the extension schema routes. */
import { pathSegment } from '../../scim/path-segment.ts'
import { choice } from '../contract/allowed.ts'
import { ADMIN_API_PATH } from '../contract/routes.ts'
import type { schemaRoutes } from '../contract/schemas.ts'
import {
  deleteSchema,
  extendedTenant,
  importSchemas,
  listSchemas,
  putSchema,
  requireSchema,
  schemaJson,
} from '../tenant-schemas.ts'
import type { Handlers } from './serve.ts'

export const schemaHandlers: Handlers<typeof schemaRoutes> = {
  async listExtensions({ db, parameters: { id } }) {
    const all = await listSchemas(db, id)
    return { status: 200, body: { schemas: all.extensions.map((one) => schemaJson(one, all)) } }
  },

  async importExtensions({ parameters: { id }, query, body, c }) {
    const examples = c.get('resourceTypes').map(({ name }) => `"?resourceType=${name}"`)
    const { all, schemas, notes } = await importSchemas(extendedTenant(c, id), body, {
      resourceType: query.resourceType,
      resourceTypeHint: `add ${choice(examples)} to the URL for schemas that do not name it`,
    })
    return { status: 200, body: { schemas: schemas.map((one) => schemaJson(one, all)), notes } }
  },

  async getExtension({ db, parameters: { id, urn } }) {
    const all = await listSchemas(db, id)
    return { status: 200, body: schemaJson(requireSchema(all, urn, id), all) }
  },

  async putExtension({ parameters: { id, urn }, body, c }) {
    const { all, extension, isNew } = await putSchema(extendedTenant(c, id), urn, body)
    const shown = schemaJson(extension, all)
    if (!isNew) return { status: 200, body: shown }
    return {
      status: 201,
      body: shown,
      headers: { Location: `${ADMIN_API_PATH}/tenants/${pathSegment(id)}/schemas/${urn}` },
    }
  },

  async deleteExtension({ parameters: { id, urn }, query, c }) {
    const outcome = await deleteSchema(extendedTenant(c, id), urn, query.purge === 'true')
    return outcome === 'done' ? { status: 204 } : { status: 202, body: { state: outcome } }
  },
}
