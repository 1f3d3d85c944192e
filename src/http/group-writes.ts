/**
 * Writes of resources with members. The tenant's group writer, which runs them in order, receives each of them.
 */
import type { Context } from 'hono'
import type { Rendered } from '../provider/call.ts'
import { type GroupWriteRequest, renderedOf } from '../provider/groups/group-writer.ts'
import type { HttpEnv } from '../runtime.ts'
import { addFigures, DatabaseUnavailable } from '../storage/database/database.ts'
import { noBody } from './content-type.ts'
import {
  attributeNames,
  preconditionsOf,
  type ResourceWrites,
  resourceResponse,
  tenantUrl,
} from './request.ts'
import { workOf } from './work.ts'

export const queuedWrites: ResourceWrites = {
  create: async (c, _type, body) => writeResponse(c, await writeGroup(c, { kind: 'create', body }), 201),
  replace: async (c, _type, id, body) =>
    writeResponse(c, await writeGroup(c, { kind: 'replace', id, body }), 200),
  patch: async (c, _type, id, body) =>
    writeResponse(c, await writeGroup(c, { kind: 'patch', id, body }), 200),
  delete: async (c, _type, id) => writeResponse(c, await writeGroup(c, { kind: 'delete', id }), 200),
}

/** @throws {ScimError} if the write is rejected; {DatabaseUnavailable} also if the group writer cannot be reached */
export async function writeGroup(
  c: Context<HttpEnv>,
  what: Pick<GroupWriteRequest, 'kind' | 'id' | 'memberId' | 'body'>,
): Promise<Rendered | undefined> {
  const actor = c.get('actor')
  const request: GroupWriteRequest = {
    ...what,
    ...attributeNames(c),
    preconditions: preconditionsOf(c),
    credentials: actor,
    tenantUrl: tenantUrl(c),
    requestId: c.get('requestId'),
    spent: workOf(c).spent,
    keepsDeleted: c.env.settings.tombstoneDays > 0,
  }
  const answer = await c.env.groupWriter(actor.tenantId).write(request).catch(unreachable)
  addFigures(c.get('figures'), answer.figures)
  workOf(c).takeOver(answer.spent ?? 0)
  const rendered = renderedOf(answer)
  c.env.pokeWebhooks(actor.tenantId, answer.webhooks ?? [])
  return rendered
}

/** The platform occasionally resets or moves a Durable Object. The write may or may not be committed. */
function unreachable(cause: unknown): never {
  throw new DatabaseUnavailable('the group coordinator does not answer', { cause })
}

function writeResponse(c: Context<HttpEnv>, rendered: Rendered | undefined, status: 200 | 201): Response {
  return rendered === undefined ? noBody(c, 204) : resourceResponse(c, rendered, status)
}
