/**
 * /Users (RFC 7644 §3.2 to §3.6). Each handler reads, calls the provider, writes.
 */
import { Hono } from 'hono'
import * as provider from '../provider/users.ts'
import type { HttpEnv } from '../runtime.ts'
import { USER_RESOURCE_TYPE } from '../scim/schema/resource-type.ts'
import { parseSearchRequest } from '../scim/search-request.ts'
import { readBody } from './content-type.ts'
import {
  callOf,
  idOf,
  listOf,
  listParameters,
  preconditionsOf,
  prefersStrict,
  projectionOf,
  resourceResponse,
} from './request.ts'
import { tenantHandler } from './tenant.ts'

const TYPE = USER_RESOURCE_TYPE
const handle = tenantHandler(TYPE)

export const users = new Hono<HttpEnv>()
  .get(
    '/',
    handle((c) => listOf(c, listParameters(c), [TYPE])),
  )
  .post(
    '/.search',
    handle(async (c) => listOf(c, parseSearchRequest(await readBody(c)), [TYPE])),
  )
  .post(
    '/',
    handle(async (c) => {
      const body = await readBody(c)
      return resourceResponse(c, await provider.createUser(callOf(c), body, projectionOf(c, TYPE)), 201)
    }),
  )
  .get(
    '/:id',
    handle(async (c) => {
      return resourceResponse(c, await provider.getUser(callOf(c), idOf(c), projectionOf(c, TYPE)), 200)
    }),
  )
  .put(
    '/:id',
    handle(async (c) => {
      const body = await readBody(c)
      const user = await provider.replaceUser(
        callOf(c),
        idOf(c),
        body,
        projectionOf(c, TYPE),
        preconditionsOf(c),
      )
      return resourceResponse(c, user, 200)
    }),
  )
  .patch(
    '/:id',
    handle(async (c) => {
      const body = await readBody(c)
      const user = await provider.patchUser(
        callOf(c),
        idOf(c),
        body,
        projectionOf(c, TYPE),
        preconditionsOf(c),
        prefersStrict(c),
      )
      return resourceResponse(c, user, 200)
    }),
  )
  .delete(
    '/:id',
    handle(async (c) => {
      await provider.deleteUser(callOf(c), idOf(c), preconditionsOf(c))
      return c.body(null, 204)
    }),
  )
