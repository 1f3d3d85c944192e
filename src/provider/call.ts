/**
 * One call of the service provider: who asks, and what the operations need from outside.
 */

import type { AttributeChange } from '../scim/changes.ts'
import type { Complex } from '../scim/comparison.ts'
import { isAllBut, isReturned, type Projection, project } from '../scim/projection.ts'
import type { ResourceType } from '../scim/schema/definition.ts'
import { etag } from '../scim/version.ts'
import type { Work } from '../scim/work.ts'
import type { Database } from '../storage/database.ts'
import type { LogAction, LogEntry } from '../storage/provisioning-log.ts'
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
  { tenantUrl }: Pick<Call, 'tenantUrl'>,
  stored: Stored,
  type: ResourceType,
  projection: Projection,
): Rendered {
  const { id, version, createdAt, lastModified } = stored
  const location = locationOf(tenantUrl, type, id)
  const meta = {
    resourceType: type.name,
    created: new Date(createdAt).toISOString(),
    lastModified: new Date(lastModified).toISOString(),
    location,
    version: etag(version),
  }
  const rendered = { version, location }
  const none = withReferences(projection, type) ? noReferences(type) : {}
  // What is stored is JSON already: where all of it is wanted, it is neither parsed nor written again.
  if (stored instanceof StoredRow && isAllBut(referencesOf(type), projection, type)) {
    const more = JSON.stringify({ ...none, ...references(stored.references, tenantUrl), id, meta })
    return { ...rendered, json: `${stored.json.slice(0, -1)},${more.slice(1)}` }
  }
  const whole = { ...none, ...stored.resource, ...references(stored.resource, tenantUrl), id, meta }
  return { ...rendered, json: JSON.stringify(project(whole, projection, type)) }
}

export function locationOf(tenantUrl: string, type: ResourceType, id: string): string {
  return `${tenantUrl}${type.endpoint}/${id}`
}

/** The time of a change, in milliseconds since 1970. It never goes back, though the clock may be set back. */
export function modifiedAt({ credentials }: Call, before: Pick<Stored, 'lastModified'>): number {
  return Math.max(credentials.now, before.lastModified)
}

/** The attribute whose values are memberships, which are no part of the stored resource. */
function referencesOf({ name }: ResourceType): 'groups' | 'members' {
  return name === 'User' ? 'groups' : 'members'
}

/** Whether the client is to see the memberships: reading them costs a row for each. */
export function withReferences(projection: Projection, type: ResourceType): boolean {
  return isReturned(projection, referencesOf(type), type)
}

/**
 * What stands for no memberships. A group without members shows an empty list, as Microsoft's sample does: authentik
 * compares members only where it finds a list, and so never refilled a group that was emptied here. RFC 7643 §2.5 makes
 * it the same as none.
 *
 * @see https://github.com/goauthentik/authentik/pull/23950
 */
function noReferences({ name }: ResourceType): Complex {
  return name === 'Group' ? { members: [] } : {}
}

/** The `$ref` of groups and members, which follows from their value and the Tenant URL. */
function references({ groups, members }: Complex, tenantUrl: string): Complex {
  const result: Complex = {}
  if (Array.isArray(groups)) {
    result.groups = groups.map((group) => ({ ...group, $ref: `${tenantUrl}/Groups/${group.value}` }))
  }
  if (Array.isArray(members)) {
    result.members = members.map((member) => ({
      ...member,
      $ref: `${tenantUrl}/${member.type}s/${member.value}`,
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
    readonly name: unknown
    readonly status: number
    readonly changes: readonly AttributeChange[]
    readonly ignored: readonly string[]
    readonly detail?: string | null
  },
): LogEntry {
  return {
    id: call.newId(),
    time: call.credentials.now,
    action: what.action,
    outcome: 'accepted',
    resourceType: what.type.name,
    resourceId: what.id,
    resourceName: typeof what.name === 'string' ? what.name : null,
    status: what.status,
    scimType: null,
    detail: what.detail ?? null,
    changes: what.changes,
    ignored: what.ignored,
    requestId: call.requestId,
  }
}
