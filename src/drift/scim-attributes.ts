/** The attributes of a SCIM resource that are compared. Pure. */
import type { Attributes } from './exported.ts'
import type { JsonObject } from './json-elements.ts'

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const NATIVE = /:ciscoumbrella:2\.0:(?:User|Group)$/

/**
 * An attribute that is missing in the directory is only a difference if every provisioning maps it. Others, such as "title",
 * are mapped by some alone.
 */
export const ALWAYS_MAPPED: ReadonlySet<string> = new Set(['userName', 'displayName', 'active'])

/** The attributes of a user or a group that are compared with an export, by the names of SCIM. */
export function scimAttributes(resource: JsonObject): Attributes {
  const name = object(resource.name)
  const found = {
    userName: resource.userName,
    displayName: resource.displayName,
    'name.givenName': name.givenName,
    'name.familyName': name.familyName,
    // RFC 7643 §4.1.1 leaves the meaning of a missing "active" open; here it counts as true.
    active: resource.userName === undefined ? undefined : resource.active !== false,
    title: resource.title,
    department: object(resource[ENTERPRISE]).department,
    'emails.value': primaryOf(resource.emails),
  }
  return Object.fromEntries(
    Object.entries(found).filter(
      ([, value]) => typeof value === 'boolean' || (typeof value === 'string' && value !== ''),
    ),
  ) as Attributes
}

/** The `nativeObjectId` of a resource. */
export function scimObjectId(resource: JsonObject): string | undefined {
  const [, extension] = Object.entries(resource).find(([name]) => NATIVE.test(name)) ?? []
  const { nativeObjectId } = object(extension)
  return typeof nativeObjectId === 'string' ? nativeObjectId : undefined
}

/** The primary value, or else the first one. */
function primaryOf(values: unknown): unknown {
  const all = Array.isArray(values) ? values.map(object) : []
  return (all.find(({ primary }) => primary === true) ?? all[0])?.value
}

function object(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null ? (value as JsonObject) : {}
}
