/**
 * The endpoint of a resource type (RFC 7644 §3.2 to §3.6), the same for each. Each handler reads, calls the provider,
 * writes.
 */
import { Hono } from 'hono'
import { deleteResource } from '../provider/deletion.ts'
import { createResource, getResource, patchResource, replaceResource } from '../provider/resources.ts'
import type { HttpEnv } from '../runtime.ts'
import { hasMembers } from '../scim/schema/resource-type.ts'
import { parseSearchRequest } from '../scim/search-request.ts'
import type { StoredResourceType } from '../storage/resource-tables.ts'
import { readBody } from './content-type.ts'
import { queuedWrites } from './group-writes.ts'
import { provisioningLog } from './provisioning-log.ts'
import {
  callOf,
  listOf,
  listParameters,
  preconditionsOf,
  prefersStrict,
  projectionOf,
  type ResourceWrites,
  resourceResponse,
  typeNamed,
} from './request.ts'

/** @param mounted only its name is kept: each request has its own types */
export function resources(mounted: StoredResourceType): Hono<HttpEnv> {
  const { name } = mounted
  const writes = hasMembers(mounted) ? queuedWrites : directWrites
  return new Hono<HttpEnv>()
    .use(provisioningLog(name))
    .get('/', (c) => listOf(c, listParameters(c), [typeNamed(c, name)]))
    .post('/.search', async (c) => listOf(c, parseSearchRequest(await readBody(c)), [typeNamed(c, name)]))
    .post('/', async (c) => await writes.create(c, typeNamed(c, name), await readBody(c)))
    .get('/:id', async (c) => {
      const type = typeNamed(c, name)
      const found = await getResource(callOf(c), type, c.req.param('id'), projectionOf(c, type))
      return resourceResponse(c, found, 200)
    })
    .put('/:id', async (c) => writes.replace(c, typeNamed(c, name), c.req.param('id'), await readBody(c)))
    .patch('/:id', async (c) => writes.patch(c, typeNamed(c, name), c.req.param('id'), await readBody(c)))
    .delete('/:id', async (c) => await writes.delete(c, typeNamed(c, name), c.req.param('id')))
}

/** Writes that the request does itself. */
const directWrites: ResourceWrites = {
  async create(c, type, body) {
    return resourceResponse(c, await createResource(callOf(c), type, body, projectionOf(c, type)), 201)
  },
  async replace(c, type, id, body) {
    const [projection, preconditions] = [projectionOf(c, type), preconditionsOf(c)]
    const replaced = await replaceResource(callOf(c), type, id, body, projection, preconditions)
    return resourceResponse(c, replaced, 200)
  },
  async patch(c, type, id, body) {
    const [projection, preconditions] = [projectionOf(c, type), preconditionsOf(c)]
    const patched = await patchResource(
      callOf(c),
      type,
      id,
      body,
      projection,
      preconditions,
      prefersStrict(c),
    )
    return resourceResponse(c, patched, 200)
  },
  async delete(c, type, id) {
    await deleteResource(callOf(c), type, id, preconditionsOf(c))
    return c.body(null, 204)
  },
}
