/**
 * SCIM_Null_Update_Test: replaces every optional attribute with "" and then with null; both must remove it.
 *
 * Microsoft: SCIMTests_Workflow.json, SCIM_Null_Update_Test.
 */
import { isObject, type JsonObject } from '../../problem.ts'
import { schemasRequest } from '../../protocol/requests.ts'
import { isVerbose } from '../gallery-job.ts'
import { failed, type GalleryContext, success, type Verdict } from '../gallery-test.ts'
import { patchRequest, postRequest, readByIdRequest, resourcesOf, textOf } from '../requests.ts'
import { attributeOf, shortId, targetAttributes, userBody } from '../target-attributes.ts'
import { valueAt } from './create-and-update.ts'
import { pathlessOperations, type ReplaceOperation } from './operations.ts'

const NOT_REMOVED = ['userName', 'active', 'externalId', 'roles']

export async function updateToNull(context: GalleryContext): Promise<Verdict> {
  const { job, session, newId } = context
  const created = await session.send(
    postRequest('User', userBody(job, `scnull${shortId(newId)}@test.com`, newId)),
  )
  if (!created.ok) return failed('Action: SCIM_Create_Null_Test_User')
  const id = textOf(created.body.id)
  const read = await session.send(readByIdRequest('User', id))
  if (!read.ok) return failed('Action: SCIM_Get_User_Before_Null_Update')
  const schemas = await session.send(schemasRequest())
  if (!schemas.ok) return failed('Action: SCIM_Get_Schemas_For_Null_Test')
  const paths = removable(context, resourcesOf(schemas.body))
  return verify(context, id, paths)
}

async function verify(context: GalleryContext, id: string, paths: readonly string[]): Promise<Verdict> {
  const empty = await replaceAll(context, id, { paths, value: '', suffix: '' })
  if (empty.failedAction !== undefined) return failed(`Action: ${empty.failedAction}`)
  const nulls = await replaceAll(context, id, { paths, value: null, suffix: '_Phase2' })
  if (nulls.failedAction !== undefined) return failed(`Action: ${nulls.failedAction}`)
  const passed = paths.filter((path) => textOf(valueOrElement(empty.user, path)) === '').length
  // The second phase does not look at elements of lists, and does not take "" for removed.
  const flat = paths.filter((path) => !path.includes('['))
  const isRemoved = flat.every((path) => (valueAt(nulls.user, path) ?? null) === null)
  const isAccepted = [empty, nulls].every(({ status }) => status === 200 || status === 204)
  if (isAccepted && passed === paths.length && isRemoved) return success()
  return failed(
    'Action: Compose_SCIM_Null_Update_Summary - null update verification failed. ' +
      `Passed: ${passed}/${paths.length} attributes`,
  )
}

interface Replaced {
  readonly status: number
  readonly user: JsonObject
  /** The action that was answered with a status of 400 or more. */
  readonly failedAction?: string
}

interface Replacement {
  readonly paths: readonly string[]
  readonly value: '' | null
  /** The end of the names of the actions. */
  readonly suffix: string
}

async function replaceAll(
  { job, session }: GalleryContext,
  id: string,
  { paths, value, suffix }: Replacement,
): Promise<Replaced> {
  const operations = paths.map((path): ReplaceOperation => ({ op: 'replace', path, value }))
  const sent = isVerbose(job) ? operations : pathlessOperations(operations)
  const { status, ok } = await session.send(patchRequest('User', id, sent))
  if (!ok) return { status, user: {}, failedAction: `SCIM_Patch_Null_Update${suffix}` }
  const read = await session.send(readByIdRequest('User', id))
  const name = suffix === '' ? 'Null_Update' : 'Null_Phase2'
  return { status, user: read.body, ...(read.ok ? {} : { failedAction: `SCIM_Get_User_After_${name}` }) }
}

/** The mapped attributes that are not required, do not match, and are not references. */
function removable({ job }: GalleryContext, schemas: readonly JsonObject[]): readonly string[] {
  const required = new Set(schemas.flatMap(({ attributes }) => requiredNames(attributes)))
  return targetAttributes(job, 'User')
    .filter(({ isMatching, type }) => !isMatching && type !== 'reference')
    .map(({ name }) => name)
    .filter((name) => !NOT_REMOVED.includes(name) && !required.has(attributeOf(name)))
}

function requiredNames(attributes: unknown): readonly string[] {
  if (!Array.isArray(attributes)) return []
  return attributes
    .filter(isObject)
    .flatMap(({ name, required }) => (required === true ? [String(name)] : []))
}

/** Elements are found by their `type`, in any case. */
function valueOrElement(user: JsonObject, path: string): unknown {
  const match = /^([^[]+)\[type eq "([^"]*)"\]\.?(.*)$/.exec(path)
  if (match === null) return path.includes('[') ? undefined : valueAt(user, path)
  const [, name = '', type = '', part = ''] = match
  const list = Array.isArray(user[name]) ? user[name].filter(isObject) : []
  const element = list.find((entry) => textOf(entry.type).toLowerCase() === type.toLowerCase())
  return element?.[part === '' ? 'value' : part]
}
