/**
 * SCIM_Update_Manager_Test: adds, replaces and removes the manager of a user by its id as a plain value.
 *
 * Microsoft: SCIMTests_Workflow.json.
 */
import { isObject, type JsonObject } from '../../problem.ts'
import { failed, type GalleryContext, success, type Verdict } from '../gallery-test.ts'
import { patchRequest, postRequest, readByIdRequest, textOf } from '../requests.ts'
import { shortId, userBody } from '../target-attributes.ts'

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

const NOT_SET = failed('Action: SCIM_Manager_Get_After_Set - Manager value not set correctly after PATCH')

/**
 * A request that is answered with 400 or more ends the test before its summary, and without the summary the validator
 * says that the manager was not set, whichever request it was.
 */
export async function updateManager(context: GalleryContext): Promise<Verdict> {
  const user = await createUser(context, 'scmgr-user-')
  const first = user === '' ? '' : await createUser(context, 'scmgr-mgr-')
  const set = first === '' ? NOT_SENT : await replaceManager(context, user, 'Add', first)
  if (!isAccepted(set.status))
    return failed(`Action: SCIM_Manager_Patch_Set_Manager - Set manager PATCH returned HTTP ${set.status}`)
  const second = await createUser(context, 'scmgr-mgr2-')
  const change = await replaceManager(context, user, 'replace', second)
  if (change.status > 399) return refused('change', change.status)
  const removal = await replaceManager(context, user, 'replace', '')
  if (removal.status > 399) return refused('remove', removal.status)
  if (managerOf(set.read) !== first) return NOT_SET
  if (!isAccepted(removal.status))
    return failed(
      `Action: SCIM_Manager_Patch_Remove_Manager - Remove manager PATCH returned HTTP ${removal.status}`,
    )
  const isChanged = isAccepted(change.status) && managerOf(change.read) === second
  return isChanged && managerOf(removal.read) === ''
    ? success()
    : failed('Action: SCIM_Manager_Get_After_Remove - Manager value not removed after null PATCH')
}

const NOT_SENT = { status: 0, read: {} }

function isAccepted(status: number): boolean {
  return status === 200 || status === 204
}

function refused(what: 'change' | 'remove', status: number): Verdict {
  const remark = `the request to ${what} the manager was answered with HTTP ${status}; the validator does not say so`
  return { ...NOT_SET, remark }
}

async function createUser({ job, session, newId }: GalleryContext, prefix: string): Promise<string> {
  const body = userBody(job, `${prefix}${shortId(newId)}@test.com`, newId)
  return textOf((await session.send(postRequest('User', body))).body.id)
}

async function replaceManager(
  { session }: GalleryContext,
  id: string,
  op: 'Add' | 'replace',
  value: string,
): Promise<{ readonly status: number; readonly read: JsonObject }> {
  const operation = { op, path: `${ENTERPRISE}:manager`, value }
  const { status, ok } = await session.send(patchRequest('User', id, [operation]))
  return { status, read: ok ? (await session.send(readByIdRequest('User', id))).body : {} }
}

function managerOf(user: JsonObject): string {
  const extension = user[ENTERPRISE]
  const manager = isObject(extension) && isObject(extension.manager) ? extension.manager : user.manager
  return isObject(manager) ? textOf(manager.value) : ''
}
