/** The validator's own requests, and what it reads from their responses. Pure. */
import { isObject, type JsonObject } from '../problem.ts'
import type { ObjectType, ScimRequest } from '../protocol/requests.ts'
import type { Reply } from './session.ts'

const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

export function endpointOf(type: ObjectType): '/Users' | '/Groups' {
  return type === 'User' ? '/Users' : '/Groups'
}

/** Finds a user by userName or a group by displayName, with the encoding of the workflow files. */
export function findRequest(type: ObjectType, name: string): ScimRequest {
  const attribute = type === 'User' ? 'userName' : 'displayName'
  return {
    method: 'GET',
    path: `${endpointOf(type)}?filter=${attribute}%20eq%20%22${encodeURIComponent(name)}%22`,
  }
}

export function postRequest(type: ObjectType, body: JsonObject): ScimRequest {
  return { method: 'POST', path: endpointOf(type), body }
}

export function readByIdRequest(type: ObjectType, id: string): ScimRequest {
  return { method: 'GET', path: `${endpointOf(type)}/${encodeURIComponent(id)}` }
}

export function patchRequest(type: ObjectType, id: string, operations: readonly object[]): ScimRequest {
  const body = { schemas: [PATCH_OP], Operations: operations }
  return { method: 'PATCH', path: `${endpointOf(type)}/${encodeURIComponent(id)}`, body }
}

/** The resources of a ListResponse; none if the body has another shape. */
export function resourcesOf(body: JsonObject): readonly JsonObject[] {
  return Array.isArray(body.Resources) ? body.Resources.filter(isObject) : []
}

export function hasResources({ body }: Reply): boolean {
  return resourcesOf(body).length > 0
}

/** Whether a ListResponse has a resource, and its first one a property. */
export function isListed(body: JsonObject, has: (resource: JsonObject) => boolean = () => true): boolean {
  const [resource] = resourcesOf(body)
  return resource !== undefined && has(resource)
}

/** A property as text; the empty string if it is absent, as with `coalesce` in the workflow files. */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** `scimType=…. detail=…`, as the validator adds them to a failure. */
export function errorWords({ scimType, detail }: JsonObject): string {
  const type = textOf(scimType)
  const text = textOf(detail)
  return `${type === '' ? '' : `scimType=${type}. `}${text === '' ? '' : `detail=${text}`}`
}
