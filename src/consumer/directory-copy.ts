/**
 * A copy of a directory, and how each event changes it. The folder has no dependencies.
 *
 * A resource knows the version at which it was read. What an event of that version or an earlier one tells is part of it
 * already; every later event is applied, in the order of the feed. That is why a copy that is read while the directory
 * changes becomes exact.
 */

/** An event of the feed, as far as a copy needs it: docs/consume/events.md describes all of it. */
export interface DirectoryEvent {
  readonly id: string
  readonly type: string
  readonly timestamp: string
  readonly cursor: string
  readonly source: Readonly<Record<'clientId' | 'clientName' | 'requestId', string | null>>
  readonly data: {
    readonly id?: string
    readonly version?: number
    /** The new values of changed attributes; null if they are too large for an event. */
    readonly attributes?: Attributes | null
    readonly members?: readonly { readonly id: string }[]
    readonly [name: string]: unknown
  }
}

type Attributes = Readonly<Record<string, unknown>>

/** A user or a group. */
export interface CopiedResource {
  readonly id: string
  /** 0 if it is known by events alone. */
  readonly readVersion: number
  /** Its SCIM attributes, without `id`, `meta`, `groups` and `members`. */
  readonly attributes: Attributes
  /** The ids of the direct members of a group, users and groups. */
  readonly members?: Set<string> | undefined
}

/** The kinds of resources, as the types of events begin. */
const KINDS: Readonly<Record<string, Kind>> = { user: 'users', group: 'groups' }
export type Kind = 'users' | 'groups'

export class DirectoryCopy {
  users = new Map<string, CopiedResource>()
  groups = new Map<string, CopiedResource>()
  /** The position in the feed up to which the copy is complete; undefined before the directory was read. */
  cursor: string | undefined

  /** @param stored the parsed JSON of a copy */
  static from({ cursor, users, groups }: ReturnType<DirectoryCopy['toJSON']>): DirectoryCopy {
    const copy = new DirectoryCopy()
    copy.cursor = cursor
    for (const user of users) copy.users.set(user.id, user)
    for (const group of groups) copy.groups.set(group.id, { ...group, members: new Set(group.members) })
    return copy
  }

  toJSON() {
    const asJson = ({ members = new Set(), ...group }: CopiedResource) => ({
      ...group,
      members: [...members],
    })
    const groups = [...this.groups.values()].map(asJson)
    return { cursor: this.cursor, users: [...this.users.values()], groups }
  }

  /** Applies an event. @returns the kind of its resource if that must be read, because the event does not have its values */
  apply({ type, data }: DirectoryEvent): Kind | undefined {
    const { id = '', version = 0, attributes, members = [] } = data
    const [kind, what] = [KINDS[type.slice(0, type.indexOf('.'))], type.slice(type.indexOf('.') + 1)]
    if (kind === undefined) return undefined
    const resources = this[kind]
    if (what === 'deleted') resources.delete(id)
    const user: CopiedResource = { id, readVersion: 0, attributes: {} }
    const created = kind === 'users' ? user : { ...user, members: new Set<string>() }
    const known = resources.get(id) ?? (what === 'created' ? created : undefined)
    // A resource that is not known was deleted before the copy was read.
    if (known === undefined || version <= known.readVersion) return undefined
    if (attributes === null) return kind
    if (what === 'members_added') for (const member of members) known.members?.add(member.id)
    if (what === 'members_removed') for (const member of members) known.members?.delete(member.id)
    if (attributes) resources.set(id, { ...known, attributes: merged(known.attributes, attributes) })
    return undefined
  }
}

/** @param changed null is the new value of an attribute that was removed */
function merged(before: Attributes, changed: Attributes): Attributes {
  return Object.fromEntries(Object.entries({ ...before, ...changed }).filter(([, value]) => value !== null))
}
