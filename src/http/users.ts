/**
 * /Users (RFC 7644 §3.2 to §3.6). Each handler reads, calls the provider, writes.
 */
import { Hono } from 'hono'
import * as provider from '../provider/users.ts'
import type { HttpEnv } from '../runtime.ts'
import { USER_RESOURCE_TYPE } from '../scim/schema/resource-type.ts'
import { parseSearchRequest } from '../scim/search-request.ts'
import { readBody } from './content-type.ts'
import { profileOf } from './profile.ts'
import { provisioningLog } from './provisioning-log.ts'
import {
  callOf,
  listOf,
  listParameters,
  preconditionsOf,
  prefersStrict,
  projectionOf,
  resourceResponse,
} from './request.ts'

const TYPE = USER_RESOURCE_TYPE

export const users = new Hono<HttpEnv>()
  .use(provisioningLog(TYPE))
  .get('/', (c) => listOf(c, listParameters(c), [TYPE]))
  .post('/.search', async (c) => listOf(c, parseSearchRequest(await readBody(c), profileOf(c)), [TYPE]))
  .post('/', async (c) => {
    const body = await readBody(c)
    return resourceResponse(c, await provider.createUser(callOf(c), body, projectionOf(c, TYPE)), 201)
  })
  .get('/:id', async (c) => {
    return resourceResponse(
      c,
      await provider.getUser(callOf(c), c.req.param('id'), projectionOf(c, TYPE)),
      200,
    )
  })
  .put('/:id', async (c) => {
    const body = await readBody(c)
    const user = await provider.replaceUser(
      callOf(c),
      c.req.param('id'),
      body,
      projectionOf(c, TYPE),
      preconditionsOf(c),
    )
    return resourceResponse(c, user, 200)
  })
  .patch('/:id', async (c) => {
    const body = await readBody(c)
    const user = await provider.patchUser(
      callOf(c),
      c.req.param('id'),
      body,
      projectionOf(c, TYPE),
      preconditionsOf(c),
      prefersStrict(c),
    )
    return resourceResponse(c, user, 200)
  })
  .delete('/:id', async (c) => {
    await provider.deleteUser(callOf(c), c.req.param('id'), preconditionsOf(c))
    return c.body(null, 204)
  })
