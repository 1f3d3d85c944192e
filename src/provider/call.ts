/**
 * A call of the service provider: everything that an operation needs besides its own input. And the parts that operations
 * share: rendering a resource, and the log entry of an accepted write.
 */
import type { AttributeChange } from '../scim/changes.ts'
import type { Complex } from '../scim/comparison.ts'
import { emptyMembers } from '../scim/compatibility/http.ts'
import { pathSegment } from '../scim/path-segment.ts'
import { isReturned, type Projection, project, returnsAllExcept } from '../scim/projection.ts'
import type { Reading } from '../scim/reading.ts'
import type { ResourceType } from '../scim/schema/definition.ts'
import { hasMembers } from '../scim/schema/resource-type.ts'
import { etag } from '../scim/version.ts'
import { STORED_UNITS, type Work } from '../scim/work.ts'
import type { LogAction, LogEntry } from '../storage/log/log-entry.ts'
import { type Stored, StoredRow } from '../storage/tables/stored-resources.ts'
import type { TenantContext } from '../storage/tenants/context.ts'

export interface Call {
  /** The tenant with the actor and the open database. */
  readonly tenant: TenantContext
  /** The base of the locations of resources, without a slash at its end. */
  readonly tenantUrl: string
  readonly requestId: string
  /** A new UUIDv7. */
  readonly newId: () => string
  /** Whether deleted resources are kept for a while, so that an administrator can restore them. */
  readonly keepsDeleted: boolean
  /** Counts the work of the request. */
  readonly work: Work
}

/** The rules for reading the body of the call, as a resource of the type or as a PATCH of one. */
export function readingOf<Type extends ResourceType>(
  { tenant, work }: Pick<Call, 'tenant' | 'work'>,
  type: Type,
): Reading<Type> {
  return { type, profile: tenant.profile, work }
}

/** A resource as the client sees it, with the values of the headers of its response. */
export interface Rendered {
  readonly version: number
  readonly location: string
  /** JSON text; undefined if the client did not ask for a body. */
  readonly json?: string | undefined
}

/** The response to a request for a stored resource. */
export function render(
  call: RenderCall,
  stored: Stored,
  type: ResourceType,
  projection: Projection,
): Rendered {
  const location = locationOf(call.tenantUrl, type, stored.id)
  return { version: stored.version, location, json: renderJson(call, stored, type, projection) }
}

type RenderCall = Pick<Call, 'tenantUrl' | 'tenant'> & {
  /** Counts the projection of several resources; of one, it is bounded by the size of a resource. */
  readonly projecting?: Work
}

/** A stored resource as JSON text: with id, meta and references, and with the projection applied. */
export function renderJson(
  call: RenderCall,
  stored: Stored,
  type: ResourceType,
  projection: Projection,
): string {
  const more = endOf(call, stored, type, projection)
  // Documents are stored as JSON, so a complete document is returned without parsing it.
  if (stored instanceof StoredRow && returnsAllExcept(type.references, projection, type)) {
    return `${stored.json.slice(0, -1)},${more}`
  }
  // Parsed, and written again.
  if (stored instanceof StoredRow) call.projecting?.note(2 * STORED_UNITS * stored.json.length)
  const resource = stored instanceof StoredRow ? stored.parse() : stored.resource
  const whole = { ...resource, ...(JSON.parse(`{${more}`) as Complex) }
  return JSON.stringify(project(whole, projection, type, call.projecting))
}

/** The references of a resource, its id and its meta, as the end of a JSON object. */
function endOf(call: RenderCall, stored: Stored, type: ResourceType, projection: Projection): string {
  const { tenant, tenantUrl } = call
  const end = (none: Complex) =>
    `${referencesJson(stored, call, none)}${JSON.stringify({ id: stored.id, meta: metaOf(call, stored, type) }).slice(1)}`
  // What is shown of a group without members depends on more than the row.
  if (hasMembers(type)) return end(withReferences(projection, type) ? emptyMembers(tenant.profile) : {})
  return stored instanceof StoredRow ? stored.endFor(tenantUrl, () => end({})) : end({})
}

function metaOf({ tenantUrl }: RenderCall, stored: Stored, type: ResourceType): Complex {
  return {
    resourceType: type.name,
    created: new Date(stored.createdAt).toISOString(),
    lastModified: new Date(stored.lastModified).toISOString(),
    location: locationOf(tenantUrl, type, stored.id),
    version: etag(stored.version),
  }
}

/** The URI of a resource: `meta.location` and the header Location (RFC 7643 §3.1). */
export function locationOf(tenantUrl: string, type: ResourceType, id: string): string {
  return `${tenantUrl}${type.endpoint}/${pathSegment(id)}`
}

/** The time of a change, in milliseconds since 1970: never earlier than the change before, even if the clock is. */
export function modifiedAt({ tenant }: Call, before: Pick<Stored, 'lastModified'>): number {
  return Math.max(tenant.actor.now, before.lastModified)
}

/** Whether the response shows the memberships. If not, they are not read: each of them costs a row. */
export function withReferences(projection: Projection, type: ResourceType): boolean {
  return type.references !== undefined && isReturned(projection, type.references, type)
}

/**
 * Groups and members with their `$ref`, which follows from their value and the Tenant URL, as the first members of a JSON object.
 *
 * @param none what is shown of a resource without memberships
 */
function referencesJson(
  stored: Stored,
  { tenantUrl, tenant: { resourceTypes } }: RenderCall,
  none: Complex,
): string {
  const { groups, members = none.members } = stored instanceof StoredRow ? stored.references : stored.resource
  const baseOf = (type: ResourceType | undefined) => `${tenantUrl}${type?.endpoint ?? ''}`
  if (typeof groups === 'string')
    return `"groups":${withRefs(groups, baseOf(resourceTypes.find(hasMembers)))},`
  if (!Array.isArray(members)) return ''
  const bases = new Map(resourceTypes.map((type) => [type.name, baseOf(type)]))
  const shown = members.map((member) => ({
    ...member,
    $ref: `${bases.get(member.type) ?? tenantUrl}/${pathSegment(member.value)}`,
  }))
  return `"members":${JSON.stringify(shown)},`
}

/** The beginning of each element of groupsOfResource. A quotation mark within a value is escaped, so no value contains it. */
const GROUP = '{"value":"'

/** Groups as JSON, each with its address below the base. */
function withRefs(groups: string, base: string): string {
  const [start = '', ...elements] = groups.split(GROUP)
  let text = start
  for (const element of elements) {
    const id = textIn(element)
    const ref = JSON.stringify(`${base}/${pathSegment(JSON.parse(`"${id}"`))}`)
    text += `${GROUP}${id}","$ref":${ref}${element.slice(id.length + 1)}`
  }
  return text
}

/** The beginning of a text, up to the quotation mark at the end of a JSON string. That of a UUID is the first one. */
function textIn(text: string): string {
  const upToFirst = text.slice(0, text.indexOf('"'))
  return upToFirst.includes('\\') ? (/^(?:[^"\\]|\\.)*/s.exec(text)?.[0] ?? '') : upToFirst
}

/** The log entry of an accepted write. */
export function acceptedEntry(
  call: Call,
  what: {
    readonly action: LogAction
    readonly type: ResourceType
    readonly id: string
    /** The resource, for its name; undefined if the database looks the name up. */
    readonly resource?: Complex
    readonly status: number
    readonly changes: readonly AttributeChange[]
    readonly ignored: readonly string[]
    readonly detail?: string | null
  },
): LogEntry {
  const name = what.resource?.[what.type.nameAttribute]
  return {
    id: call.newId(),
    time: call.tenant.actor.now,
    action: what.action,
    outcome: 'accepted',
    resourceType: what.type.name,
    resourceId: what.id,
    resourceName: typeof name === 'string' ? name : null,
    status: what.status,
    scimType: null,
    detail: what.detail ?? null,
    changes: what.changes,
    ignored: what.ignored,
    requestId: call.requestId,
  }
}
