/**
 * One call of the service provider: who asks, and what the operations need from outside.
 */

import type { AttributeChange } from '../scim/changes.ts'
import type { Complex } from '../scim/comparison.ts'
import { emptyMembers } from '../scim/compatibility/http.ts'
import type { Profile } from '../scim/profile.ts'
import { isReturned, type Projection, project, returnsAllExcept } from '../scim/projection.ts'
import type { Reading } from '../scim/reading.ts'
import type { ResourceType } from '../scim/schema/definition.ts'
import { hasMembers } from '../scim/schema/resource-type.ts'
import { etag } from '../scim/version.ts'
import type { Work } from '../scim/work.ts'
import type { Database } from '../storage/database.ts'
import type { LogAction, LogEntry } from '../storage/log-entry.ts'
import { type Stored, StoredRow } from '../storage/resources.ts'
import type { TenantContext } from '../storage/tenant-context.ts'
import type { Credentials } from '../storage/tokens.ts'

export interface Call {
  readonly db: Database
  readonly credentials: Credentials
  readonly tenant: TenantContext
  /** Without a slash at its end; the locations of resources begin with it. */
  readonly tenantUrl: string
  readonly requestId: string
  /** A new UUIDv7. */
  readonly newId: () => string
  /** Counts the work of the request. */
  readonly work: Work
}

/** How the body of the call is read, as a resource of the type or a PATCH of one. */
export function readingOf<Type extends ResourceType>(
  { tenant, work }: Pick<Call, 'tenant' | 'work'>,
  type: Type,
): Reading<Type> {
  return { type, profile: tenant.profile, work }
}

/** A resource as the client sees it, and what the headers of a response say of it. */
export interface Rendered extends Written {
  /** JSON text. */
  readonly json: string
}

/** What the headers of a response say of a resource whose body nobody asked for. */
export interface Written {
  readonly version: number
  readonly location: string
}

/** Adds id, meta and references to a stored resource, then applies the projection. */
export function render(
  call: Pick<Call, 'tenantUrl' | 'tenant'>,
  stored: Stored,
  type: ResourceType,
  projection: Projection,
): Rendered {
  const { id, version, createdAt, lastModified } = stored
  const location = locationOf(call.tenantUrl, type, id)
  const meta = {
    resourceType: type.name,
    created: new Date(createdAt).toISOString(),
    lastModified: new Date(lastModified).toISOString(),
    location,
    version: etag(version),
  }
  const rendered = { version, location }
  const none = withReferences(projection, type) ? noReferences(type, call.tenant.profile) : {}
  // What is stored is JSON already: where all of it is wanted, it is neither parsed nor written again.
  if (stored instanceof StoredRow && returnsAllExcept(type.references, projection, type)) {
    const more = JSON.stringify({ ...none, ...references(stored.references, call), id, meta })
    return { ...rendered, json: `${stored.json.slice(0, -1)},${more.slice(1)}` }
  }
  const whole = { ...none, ...stored.resource, ...references(stored.resource, call), id, meta }
  return { ...rendered, json: JSON.stringify(project(whole, projection, type)) }
}

export function locationOf(tenantUrl: string, type: ResourceType, id: string): string {
  return `${tenantUrl}${type.endpoint}/${id}`
}

/** The time of a change, in milliseconds since 1970. It never goes back, though the clock may be set back. */
export function modifiedAt({ credentials }: Call, before: Pick<Stored, 'lastModified'>): number {
  return Math.max(credentials.now, before.lastModified)
}

/** Whether the client is to see the memberships: reading them costs a row for each. */
export function withReferences(projection: Projection, type: ResourceType): boolean {
  return type.references !== undefined && isReturned(projection, type.references, type)
}

/** What stands for no memberships. */
function noReferences(type: ResourceType, profile: Profile): Complex {
  return hasMembers(type) ? emptyMembers(profile) : {}
}

/** The `$ref` of groups and members, which follows from their value and the Tenant URL. */
function references(
  { groups, members }: Complex,
  { tenantUrl, tenant: { resourceTypes } }: Pick<Call, 'tenantUrl' | 'tenant'>,
): Complex {
  const result: Complex = {}
  const baseOf = (type: ResourceType | undefined) => `${tenantUrl}${type?.endpoint ?? ''}`
  if (Array.isArray(groups)) {
    const base = baseOf(resourceTypes.find(hasMembers))
    result.groups = groups.map((group) => ({ ...group, $ref: `${base}/${group.value}` }))
  }
  if (Array.isArray(members)) {
    const bases = new Map(resourceTypes.map((type) => [type.name, baseOf(type)]))
    result.members = members.map((member) => ({
      ...member,
      $ref: `${bases.get(member.type) ?? tenantUrl}/${member.value}`,
    }))
  }
  return result
}

/** The log entry of an accepted write. */
export function acceptedEntry(
  call: Call,
  what: {
    readonly action: LogAction
    readonly type: ResourceType
    readonly id: string
    /** Where its name is; undefined when the database looks it up. */
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
    time: call.credentials.now,
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
