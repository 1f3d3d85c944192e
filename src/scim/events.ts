/**
 * The events of a write: what the event feed and webhooks tell about it. A write has one event of the most specific type,
 * and events for the members that it adds and removes. Pure: storage adds the order, the time and the source.
 *
 * An event never holds a value that a read would not return by default. The feed is this project's own: its terms are those
 * of the usual directory-sync products, its attribute names and values those of SCIM.
 */
import { canBeDisabled } from './active.ts'
import type { AttributeChange } from './changes.ts'
import { type Complex, isComplex, sameValue } from './comparison.ts'
import { previousValues } from './history.ts'
import { MAX_EVENT_DATA_BYTES, MAX_EVENT_MEMBERS } from './limits.ts'
import { project } from './projection.ts'
import type { ResourceType } from './schema/definition.ts'
import { hasMembers, isExtension } from './schema/resource-type.ts'
import { fitsInBytes } from './utf8.ts'

/** What happened to a resource. Its event has the type `<resource type>.<kind>`, such as "user.created". */
export type ResourceEventKind = 'created' | 'updated' | 'activated' | 'deactivated' | 'deleted'
export type MemberEventKind = 'members_added' | 'members_removed'

/** An event before it is stored. */
export interface NewEvent {
  readonly type: string
  readonly resourceId: string
  /** In the form that docs/consume/events.md describes; the members of a group are ids. */
  readonly data: Complex
  /** The previous values of the changed attributes, for the history: see history.ts. They are not in the feed. */
  readonly previous?: Complex | undefined
}

/** The type of an event, such as "user.created" or "group.members_added". */
export function eventType(
  { name }: Pick<ResourceType, 'name'>,
  kind: ResourceEventKind | MemberEventKind,
): string {
  return `${name.toLowerCase()}.${kind}`
}

/** The event of a directory that an administrator imported: its readers must read the whole directory again. */
export const TENANT_IMPORTED = 'tenant.imported'

/** The event that an administrator sends to try out a webhook. It is not in the feed. */
export const TEST_EVENT = 'webhook.test'

/**
 * The event of a change of the tenant's extension schemas that shows or hides stored values: its readers must read the whole
 * directory again.
 */
export const TENANT_SCHEMAS_CHANGED = 'tenant.schemas_changed'

/** Two sources write the same identity, or turn a value back and forth. A trigger stores it: see migrations/0024_sources.sql. */
export const SOURCE_CONFLICT = 'source.conflict'

/** The types of events about the whole tenant. */
export const TENANT_EVENTS = [TENANT_IMPORTED, TENANT_SCHEMAS_CHANGED] as const
export type TenantEventType = (typeof TENANT_EVENTS)[number]

/** The types of events about the health of a client: see client-health.ts. */
export const CLIENT_EVENTS = ['client.late', 'client.silent', 'client.failing', 'client.recovered'] as const
export type ClientEventType = (typeof CLIENT_EVENTS)[number]

/** The event of a client that takes unusually much access away: see deprovisioning.ts. */
export const DEPROVISION_UNUSUAL = 'deprovision.unusual'

/** The event of what an administrator did in a tenant: see storage/events/administrator-events.ts. */
export const ADMINISTRATOR_ACTED = 'administrator.acted'

/** The types of all events of a directory with these resource types. */
export function eventTypes(types: readonly ResourceType[]): readonly string[] {
  const ofType = (type: ResourceType) => [
    eventType(type, 'created'),
    eventType(type, 'updated'),
    ...(canBeDisabled(type) ? [eventType(type, 'activated'), eventType(type, 'deactivated')] : []),
    eventType(type, 'deleted'),
    ...(hasMembers(type) ? [eventType(type, 'members_added'), eventType(type, 'members_removed')] : []),
  ]
  return [
    ...types.flatMap(ofType),
    ...TENANT_EVENTS,
    SOURCE_CONFLICT,
    ...CLIENT_EVENTS,
    DEPROVISION_UNUSUAL,
    ADMINISTRATOR_ACTED,
  ]
}

/** A resource as it is after a write. */
interface Written {
  readonly id: string
  readonly version: number
  /** Without its references. */
  readonly resource: Complex
}

/** The event of a new resource, with all of its attributes. */
export function createdEvent(type: ResourceType, { id, version, resource }: Written): NewEvent {
  const attributes = project(resource, {}, type)
  const changed = Object.keys(attributes).filter((name) => name !== 'schemas')
  const data = { ...identityOf(resource, type), version, changed, attributes }
  return { type: eventType(type, 'created'), resourceId: id, data: bounded(data) }
}

/**
 * The event of a changed resource, with the new values of the attributes that changed: of a complex attribute or an
 * extension the whole new value, and null for an attribute that has no value any more.
 */
export function changedEvent(
  type: ResourceType,
  kind: Exclude<ResourceEventKind, 'created' | 'deleted'>,
  change: Written & { readonly before: Complex; readonly changes: readonly AttributeChange[] },
): NewEvent {
  const { id, version, resource, before, changes } = change
  const shown = project(resource, {}, type)
  const attributes: Complex = {}
  for (const { name, returned } of type.attributes) {
    if (returned === 'never' || returned === 'request' || sameValue(before[name], resource[name])) continue
    attributes[name] = shown[name] ?? null
  }
  const changed = changes.map(({ attribute }) => attribute)
  const data = { ...identityOf(resource, type), version, changed, attributes }
  const previous = previousValues(before, resource, type)
  return { type: eventType(type, kind), resourceId: id, data: bounded(data), previous }
}

/** The events of the members that a write removes from a group and adds to it, at most MAX_EVENT_MEMBERS in each. */
export function memberEvents(
  type: ResourceType,
  { id, version, resource }: Written,
  { added, removed }: { readonly added: readonly string[]; readonly removed: readonly string[] },
): readonly NewEvent[] {
  const eventsOf = (kind: MemberEventKind, ids: readonly string[]) =>
    Array.from({ length: Math.ceil(ids.length / MAX_EVENT_MEMBERS) }, (_, i) => {
      const members = ids.slice(i * MAX_EVENT_MEMBERS, (i + 1) * MAX_EVENT_MEMBERS)
      const data = { ...identityOf(resource, type), version, members }
      return { type: eventType(type, kind), resourceId: id, data }
    })
  return [...eventsOf('members_removed', removed), ...eventsOf('members_added', added)]
}

/** The identifiers by which other systems know a resource; null for those that it does not have. */
function identityOf(resource: Complex, type: ResourceType): Complex {
  const path = nativeObjectIdPath(type)
  const extension = path === undefined ? undefined : resource[path[0]]
  return {
    externalId: resource.externalId ?? null,
    [type.nameAttribute]: resource[type.nameAttribute] ?? null,
    nativeObjectId: isComplex(extension) ? (extension[NATIVE_OBJECT_ID] ?? null) : null,
  }
}

const NATIVE_OBJECT_ID = 'nativeObjectId'

/** The extension and the name of the attribute by which endpoints know a person; undefined if the type has none. */
export function nativeObjectIdPath({
  attributes,
}: ResourceType): readonly [urn: string, name: string] | undefined {
  const extension = attributes.find(
    (attribute) =>
      isExtension(attribute) && attribute.subAttributes?.some(({ name }) => name === NATIVE_OBJECT_ID),
  )
  return extension && [extension.name, NATIVE_OBJECT_ID]
}

/** Leaves out the values if the event would be too large: null tells that they are to be read from the resource. */
function bounded(data: Complex): Complex {
  if (isSmall(data)) return data
  const withoutValues = { ...data, attributes: null }
  if (isSmall(withoutValues)) return withoutValues
  return { ...withoutValues, changed: null }
}

function isSmall(data: Complex): boolean {
  return fitsInBytes(JSON.stringify(data), MAX_EVENT_DATA_BYTES)
}
