/**
 * /Groups (RFC 7644 §3.2 to §3.6). Reads go to the provider; every write goes to whoever runs the group
 * writes of the tenant in their order.
 */
import { type Context, Hono } from 'hono'
import type { Rendered, Written } from '../provider/call.ts'
import { type GroupWriteRequest, renderedOf } from '../provider/group-writer.ts'
import * as provider from '../provider/groups.ts'
import type { HttpEnv } from '../runtime.ts'
import { GROUP_RESOURCE_TYPE } from '../scim/schema/resource-type.ts'
import { parseSearchRequest } from '../scim/search-request.ts'
import { etag } from '../scim/version.ts'
import { addFigures, DatabaseUnavailable } from '../storage/database.ts'
import { noteUse } from '../storage/tokens.ts'
import { readBody, SCIM_JSON } from './content-type.ts'
import {
  attributeNames,
  callOf,
  idOf,
  listOf,
  listParameters,
  preconditionsOf,
  projectionOf,
  resourceResponse,
  tenantUrl,
  workOf,
} from './request.ts'
import { tenantHandler } from './tenant.ts'

const TYPE = GROUP_RESOURCE_TYPE
const handle = tenantHandler(TYPE)

export const groups = new Hono<HttpEnv>()
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
    handle(async (c) => writeResponse(c, await write(c, { kind: 'create', body: await readBody(c) }), 201)),
  )
  .get(
    '/:id',
    handle(async (c) => {
      return resourceResponse(c, await provider.getGroup(callOf(c), idOf(c), projectionOf(c, TYPE)), 200)
    }),
  )
  .put(
    '/:id',
    handle(async (c) => writeResponse(c, await write(c, { kind: 'replace', body: await readBody(c) }), 200)),
  )
  .patch(
    '/:id',
    handle(async (c) => writeResponse(c, await write(c, { kind: 'patch', body: await readBody(c) }), 200)),
  )
  .delete(
    '/:id',
    handle(async (c) => writeResponse(c, await write(c, { kind: 'delete' }), 200)),
  )

/** @throws {ScimError} the refusal; {DatabaseUnavailable} also when the writer itself cannot be reached */
async function write(
  c: Context<HttpEnv>,
  what: Pick<GroupWriteRequest, 'kind' | 'body'>,
): Promise<Rendered | Written | undefined> {
  const credentials = c.get('credentials')
  const request: GroupWriteRequest = {
    ...what,
    id: c.req.param('id'),
    attributes: attributeNames(c, 'attributes'),
    excludedAttributes: attributeNames(c, 'excludedAttributes'),
    preconditions: preconditionsOf(c),
    credentials,
    tenantUrl: tenantUrl(c),
    requestId: c.get('requestId'),
    spent: workOf(c).spent,
  }
  const answer = await c.env.groupWriter(credentials.tenantId).write(request).catch(unreachable)
  addFigures(c.get('figures'), answer.figures)
  workOf(c).takeOver(answer.spent ?? 0)
  const written = renderedOf(answer)
  // The coordinator has seen the token valid; from now on this isolate knows as well.
  noteUse(credentials)
  return written
}

/** The platform resets or moves a Durable Object now and then; the write may or may not have been done. */
function unreachable(cause: unknown): never {
  throw new DatabaseUnavailable('the group coordinator does not answer', { cause })
}

function writeResponse(
  c: Context<HttpEnv>,
  written: Rendered | Written | undefined,
  status: 200 | 201,
): Response {
  if (written === undefined) return c.body(null, 204)
  return 'json' in written ? resourceResponse(c, written, status) : silentResponse(c, written)
}

/**
 * The answer to a change whose result nobody asked to see. It names a media type although it has no body: without one,
 * the client of SCIM-SDK believes that the answer is not from a SCIM endpoint, and reports that the change failed.
 *
 * @see https://github.com/Captain-P-Goldfish/SCIM-SDK
 */
function silentResponse(c: Context<HttpEnv>, { version }: Written): Response {
  return c.body(null, 204, { ETag: etag(version), 'Content-Type': SCIM_JSON })
}
