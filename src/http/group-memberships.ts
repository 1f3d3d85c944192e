/**
 * /GroupMemberships (draft-zollner-scim-group-members): memberships as resources, which are listed, created and deleted one
 * by one. They have no version, so preconditions do not apply to them.
 */
import { type Context, Hono } from 'hono'
import { readingOf } from '../provider/call.ts'
import { getGroupMembership, listGroupMemberships } from '../provider/group-memberships.ts'
import type { HttpEnv } from '../runtime.ts'
import { badRequest, notFound, quote, ScimError } from '../scim/error.ts'
import { keyOfMembership, type MembershipKey, membershipKey } from '../scim/group-membership.ts'
import { listResponse } from '../scim/list-response.ts'
import { GROUP_MEMBERSHIP } from '../scim/schema/group-membership.ts'
import { type ListParameters, parseListRequest } from '../scim/search-request.ts'
import { validateResource } from '../scim/validation.ts'
import { noBody, readBody, scimJson } from './content-type.ts'
import { writeGroup } from './group-writes.ts'
import { profileOf } from './profile.ts'
import { callOf, idOf, listParameters, projectionOf, searchParameters } from './request.ts'
import { tenantHandler } from './tenant.ts'

/** @param groupType the name of the type with members, under which rejected writes are logged */
export function groupMemberships(groupType: string): Hono<HttpEnv> {
  const handle = tenantHandler(groupType)
  return new Hono<HttpEnv>()
    .get(
      '/',
      handle((c) => list(c, listParameters(c))),
    )
    .post(
      '/.search',
      handle(async (c) => list(c, await searchParameters(c))),
    )
    .get(
      '/:id',
      handle(async (c) => {
        const projection = projectionOf(c, GROUP_MEMBERSHIP)
        const { json, location } = await getGroupMembership(callOf(c), idOf(c), projection)
        return scimJson(c, json, 200, { Location: location })
      }),
    )
    .post('/', handle(create))
    .delete('/:id', handle(remove))
}

async function list(c: Context<HttpEnv>, parameters: ListParameters): Promise<Response> {
  const request = parseListRequest(parameters, [GROUP_MEMBERSHIP], profileOf(c))
  if (request.sources.some(({ sort }) => sort !== undefined)) {
    throw badRequest('invalidValue', '"sortBy" must be absent: memberships are in the order of their ids')
  }
  return scimJson(c, listResponse(await listGroupMemberships(callOf(c), request)), 200)
}

/** @throws {ScimError} invalidValue if there is no such group or member; 409 if it is a member already */
async function create(c: Context<HttpEnv>): Promise<Response> {
  c.set('loggedWrite', { action: 'add member', resourceId: null })
  const { resource } = validateResource(await readBody(c), readingOf(callOf(c), GROUP_MEMBERSHIP))
  const key = keyOfMembership(resource)
  c.set('loggedWrite', { action: 'add member', resourceId: key.groupId })
  const created = await change(c, 'addMember', key, () =>
    badRequest(
      'invalidValue',
      `attribute "group.value" names no Group of the directory: ${quote(key.groupId)}`,
    ),
  )
  return scimJson(c, created?.json ?? '', 201, created && { Location: created.location })
}

async function remove(c: Context<HttpEnv>): Promise<Response> {
  const id = idOf(c)
  const key = membershipKey(id)
  c.set('loggedWrite', { action: 'remove member', resourceId: key.groupId || id })
  await change(c, 'removeMember', key, () => notFound(GROUP_MEMBERSHIP.name, id))
  return noBody(c, 204)
}

/** @param isMissing the refusal if there is no such group */
async function change(
  c: Context<HttpEnv>,
  kind: 'addMember' | 'removeMember',
  { groupId, memberId }: MembershipKey,
  isMissing: () => ScimError,
) {
  try {
    return await writeGroup(c, { kind, id: groupId, memberId })
  } catch (error) {
    throw error instanceof ScimError && error.status === 404 ? isMissing() : error
  }
}
