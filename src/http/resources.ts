/**
 * The endpoint of a resource type (RFC 7644 §3.2 to §3.6). Each handler reads the request, calls the provider and writes
 * the response.
 */
import { type Context, Hono } from 'hono'
import { deleteResource } from '../provider/deletion.ts'
import { createResource, getResource, patchResource, replaceResource } from '../provider/resources.ts'
import type { HttpEnv } from '../runtime.ts'
import { hasMembers } from '../scim/schema/resource-type.ts'
import type { StoredResourceType } from '../storage/tables/resource-tables.ts'
import { noBody, readBody } from './content-type.ts'
import { queuedWrites } from './group-writes.ts'
import {
  callOf,
  idOf,
  listOf,
  listParameters,
  preconditionsOf,
  prefersStrict,
  projectionOf,
  type ResourceWrites,
  resourceResponse,
  searchParameters,
  typeNamed,
} from './request.ts'
import { tenantHandler } from './tenant.ts'

/** @param mounted the shipped type. Handlers use the tenant's type with the same name */
export function resources(mounted: StoredResourceType): Hono<HttpEnv> {
  const { name } = mounted
  const writes = hasMembers(mounted) ? queuedWrites : directWrites
  const handle = tenantHandler(name)
  return new Hono<HttpEnv>()
    .get(
      '/',
      handle((c) => listOf(c, listParameters(c), [typeNamed(c, name)])),
    )
    .post(
      '/.search',
      handle(async (c) => listOf(c, await searchParameters(c), [typeNamed(c, name)])),
    )
    .post(
      '/',
      handle(async (c) => writes.create(c, typeNamed(c, name), await readBody(c))),
    )
    .get(
      '/:id',
      handle(async (c) => {
        const type = typeNamed(c, name)
        return resourceResponse(
          c,
          await getResource(callOf(c), { type, id: idOf(c), projection: projectionOf(c, type) }),
          200,
        )
      }),
    )
    .put(
      '/:id',
      handle(async (c) => writes.replace(c, typeNamed(c, name), idOf(c), await readBody(c))),
    )
    .patch(
      '/:id',
      handle(async (c) => writes.patch(c, typeNamed(c, name), idOf(c), await readBody(c))),
    )
    .delete(
      '/:id',
      handle((c) => writes.delete(c, typeNamed(c, name), idOf(c))),
    )
}

/** Writes that do not need the group writer. */
const directWrites: ResourceWrites = {
  async create(c, type, body) {
    const created = await createResource(callOf(c), { type, body, projection: projectionOf(c, type) })
    pokeWebhooks(c)
    return resourceResponse(c, created, 201)
  },
  async replace(c, type, id, body) {
    const [projection, preconditions] = [projectionOf(c, type), preconditionsOf(c)]
    const request = { type, id, body, projection, preconditions }
    const replaced = await replaceResource(callOf(c), request)
    pokeWebhooks(c)
    return resourceResponse(c, replaced, 200)
  },
  async patch(c, type, id, body) {
    const [projection, preconditions] = [projectionOf(c, type), preconditionsOf(c)]
    const request = { type, id, body, projection, preconditions, isStrict: prefersStrict(c) }
    const patched = await patchResource(callOf(c), request)
    pokeWebhooks(c)
    return resourceResponse(c, patched, 200)
  },
  async delete(c, type, id) {
    await deleteResource(callOf(c), { type, id, preconditions: preconditionsOf(c) })
    pokeWebhooks(c)
    return noBody(c, 204)
  },
}

/** After a write, whose batch has proven the configuration of the tenant. */
function pokeWebhooks(c: Context<HttpEnv>): void {
  const { tenantId, webhooks } = c.get('tenant')
  c.env.pokeWebhooks(tenantId, webhooks)
}
