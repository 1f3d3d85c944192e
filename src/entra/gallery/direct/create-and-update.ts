/**
 * The tests that create and change one user or group without the provisioning service.
 *
 * Microsoft: SCIMTests_Workflow.json, SCIM_User_Create_Test, SCIM_User_Update_Test, and the same for groups.
 */
import type { JsonObject } from '../../problem.ts'
import type { ObjectType } from '../../protocol/requests.ts'
import { isVerbose, UPDATED_TARGETS } from '../gallery-job.ts'
import { failed, type GalleryContext, success, type Verdict } from '../gallery-test.ts'
import { errorWords, patchRequest, postRequest, readByIdRequest, textOf } from '../requests.ts'
import type { Reply } from '../session.ts'
import { groupBody, shortId, type TargetAttribute, targetAttributes, userBody } from '../target-attributes.ts'
import { pathlessOperations, type ReplaceOperation } from './operations.ts'

const NAMES = { User: 'userName', Group: 'displayName' } as const

/** POST must give 200 or 201, an id, and the name as it was sent. */
export async function createDirectly(context: GalleryContext, type: ObjectType): Promise<Verdict> {
  const name = newName(context, type, type === 'User' ? 'lascuser' : 'LASCDirectGroup-')
  const { status, body } = await create(context, type, name)
  const hasId = textOf(body.id) !== ''
  const isSame = textOf(body[NAMES[type]]) === name
  if ((status === 200 || status === 201) && hasId && isSame) return success()
  const problems = [
    ...(hasId ? [] : [`No ${type.toLowerCase()} id returned. `]),
    ...(isSame ? [] : [`Returned ${NAMES[type]} did not match sent ${NAMES[type]}. `]),
  ]
  const words = `HTTP ${status}. ${problems.join('')}${errorWords(body)}`
  return failed(`Action: SCIM_Direct_Create_${type} - ${words}`.trimEnd())
}

/** PATCH of every single-valued attribute must give 200 or 204, and reading the resource must give the new values. */
export async function updateDirectly(context: GalleryContext, type: ObjectType): Promise<Verdict> {
  const { job, session } = context
  const created = await create(
    context,
    type,
    newName(context, type, type === 'User' ? 'lasupduser' : 'LASUpdGroup-'),
  )
  const id = textOf(created.body.id)
  const operations = updateOperations(context, type)
  if (operations.length === 0) return success('no updatable attributes')
  if (id === '') return updateFailure(type, { status: 0, body: {}, ok: false }, 0)
  const sent = type === 'User' && !isVerbose(job) ? pathlessOperations(operations) : operations
  const patched = await session.send(patchRequest(type, id, sent))
  const { status, body } = await session.send(readByIdRequest(type, id))
  const mismatches = operations.filter((operation) => !isStored(body, operation)).length
  const isAccepted = [200, 204].includes(patched.status) && [200, 204].includes(status)
  return isAccepted && mismatches === 0 ? success() : updateFailure(type, patched, mismatches)
}

function updateFailure(type: ObjectType, { status, body }: Reply, mismatches: number): Verdict {
  if (type === 'Group')
    return failed(`Action: SCIM_GroupUpdate_Patch_Group - HTTP ${status}. Mismatches=${mismatches}`)
  const count = mismatches > 0 ? `Mismatches=${mismatches}. ` : ''
  return failed(`Action: SCIM_Update_Patch_User - HTTP ${status}. ${count}${errorWords(body)}`.trimEnd())
}

function create({ job, session, newId }: GalleryContext, type: ObjectType, name: string): Promise<Reply> {
  const body = type === 'User' ? userBody(job, name, newId) : groupBody(job, name, newId)
  return session.send(postRequest(type, body))
}

function newName({ newId }: GalleryContext, type: ObjectType, prefix: string): string {
  return `${prefix}${shortId(newId)}${type === 'User' ? '@test.com' : ''}`
}

const NOT_CHANGED = ['id', 'schemas', 'meta', 'active', 'groups', 'roles', 'members']

function updateOperations({ job, newId }: GalleryContext, type: ObjectType): readonly ReplaceOperation[] {
  return targetAttributes(job, type)
    .filter((attribute) => attribute.type !== 'reference' && !NOT_CHANGED.includes(attribute.name))
    .map((attribute) => ({ op: 'replace', path: attribute.name, value: newValue(attribute, type, newId) }))
}

function newValue(
  { name, type }: TargetAttribute,
  resource: ObjectType,
  newId: () => string,
): string | number | boolean {
  const known = resource === 'User' ? UPDATED_TARGETS[name] : undefined
  if (known !== undefined) return known
  if (type === 'integer') return 4711
  return type === 'boolean' ? true : `upd-${shortId(newId)}`
}

/** An element of a list counts as stored if the text of the whole list contains the value. */
function isStored(resource: JsonObject, { path, value }: ReplaceOperation): boolean {
  if (path.includes('[')) return textOf(resource[path.split('[')[0] ?? '']).includes(String(value))
  return textOf(valueAt(resource, path)) === String(value)
}

/** The value at `title`, `name.givenName` or `urn:…:department`, with names in exactly this case. */
export function valueAt(resource: JsonObject, path: string): unknown {
  if (path.startsWith('urn:')) {
    const end = path.lastIndexOf(':')
    return child(resource[path.slice(0, end)], path.slice(end + 1))
  }
  const [first = '', last] = path.split('.')
  return last === undefined ? resource[first] : child(resource[first], last)
}

function child(holder: unknown, name: string): unknown {
  return typeof holder === 'object' && holder !== null ? (holder as JsonObject)[name] : undefined
}
