/** Handlers of the extension schema routes. */
import { RESOURCE_TYPES } from '../../storage/tables/resource-tables.ts'
import { ADMIN_API_PATH } from '../contract/routes.ts'
import type { schemaRoutes } from '../contract/schemas.ts'
import {
  deleteSchema,
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

  async importExtensions({ db, parameters: { id }, query, body }) {
    const { all, schemas, notes } = await importSchemas(db, id, body, {
      resourceType: query.resourceType,
      resourceTypeHint: `add ${RESOURCE_TYPES.map(({ name }) => `"?resourceType=${name}"`).join(' or ')} to the URL for schemas that do not name it`,
    })
    return { status: 200, body: { schemas: schemas.map((one) => schemaJson(one, all)), notes } }
  },

  async getExtension({ db, parameters: { id, urn } }) {
    const all = await listSchemas(db, id)
    return { status: 200, body: schemaJson(requireSchema(all, urn, id), all) }
  },

  async putExtension({ db, parameters: { id, urn }, body }) {
    const { all, extension, isNew } = await putSchema(db, id, urn, body)
    const shown = schemaJson(extension, all)
    if (!isNew) return { status: 200, body: shown }
    return {
      status: 201,
      body: shown,
      headers: { Location: `${ADMIN_API_PATH}/tenants/${id}/schemas/${urn}` },
    }
  },

  async deleteExtension({ db, parameters: { id, urn }, query }) {
    const outcome = await deleteSchema(db, id, urn, query.purge === 'true')
    return outcome === 'done' ? { status: 204 } : { status: 202, body: { state: outcome } }
  },
}
