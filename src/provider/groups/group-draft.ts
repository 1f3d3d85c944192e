/**
 * The groups of a tenant while the writes of a chunk are decided: the loaded state, and the changes of the writes decided
 * so far. Each write sees the changes of those before it. In memory only.
 */
import type { Complex } from '../../scim/comparison.ts'
import { fold } from '../../scim/fold.ts'
import type { Member } from '../../scim/patch/members.ts'
import type { GroupChange, GroupNeeds, GuardedChange, LoadedGroups } from '../../storage/resources/groups.ts'
import type { Stored } from '../../storage/tables/stored-resources.ts'
import type { KnownGroup } from './group-write.ts'

export class GroupDraft {
  readonly #loaded: LoadedGroups
  readonly #groups: Map<string, Stored>
  /** The changes of each group so far, by its id. */
  readonly #changes = new Map<string, GroupChange[]>()
  /** The changes that are not in the members of `#loaded` yet: they are added when a later write asks for them. */
  readonly #unapplied = new Map<string, GroupChange[]>()
  #created = 0

  /** @param loaded owned by the draft, which changes it */
  constructor(loaded: LoadedGroups) {
    this.#loaded = loaded
    this.#groups = new Map(loaded.groups)
  }

  /** The state that the next write is decided on. @param needs must have been loaded */
  known({ id, displayNameKey, memberIds, allMembers }: GroupNeeds): KnownGroup {
    const { memberCounts, owners, uniqueNames, nameOwners, groupCount, groupLimit, directory } = this.#loaded
    const owner = displayNameKey === undefined ? undefined : nameOwners.get(displayNameKey)
    const present = this.#membersOf(id)
    return {
      group: this.#groups.get(id),
      memberCount: memberCounts.get(id) ?? 0,
      owner: owners.get(id),
      isNameTaken: uniqueNames && owner !== undefined && owner !== id,
      groupCount: groupCount + this.#created,
      groupLimit,
      directory,
      members: allMembers
        ? [...present.values()]
        : memberIds.flatMap((memberId) => present.get(memberId) ?? []),
    }
  }

  apply(change: GroupChange): void {
    const { after, documents } = change
    const before = this.#groups.get(after.id)
    if (before === undefined) this.#created++
    if (documents !== undefined) this.#rename(after.id, before?.resource, after.resource)
    this.#groups.set(after.id, after)
    for (const changes of [this.#changes, this.#unapplied]) {
      const ofGroup = changes.get(after.id)
      if (ofGroup === undefined) changes.set(after.id, [change])
      else ofGroup.push(change)
    }
  }

  /** The changes to store: one for each changed group, however many writes changed it. */
  get changes(): readonly GuardedChange[] {
    const { groups } = this.#loaded
    return Array.from(this.#changes, ([id, changes]) => ({ ...merged(changes), before: groups.get(id) }))
  }

  #membersOf(groupId: string): ReadonlyMap<string, Member> {
    const { members } = this.#loaded
    const present = members.get(groupId) ?? new Map<string, Member>()
    members.set(groupId, present)
    for (const { added, removed } of this.#unapplied.get(groupId) ?? []) {
      for (const id of removed) present.delete(id)
      for (const member of added) present.set(member.value, member)
    }
    this.#unapplied.delete(groupId)
    return present
  }

  #rename(id: string, before: Complex | undefined, { displayName }: Complex): void {
    const { nameOwners, directory } = this.#loaded
    const oldKey = fold(String(before?.displayName))
    if (nameOwners.get(oldKey) === id) nameOwners.delete(oldKey)
    nameOwners.set(fold(String(displayName)), id)
    const asMember = directory.get(id)
    if (asMember !== undefined) directory.set(id, { ...asMember, display: displayName })
  }
}

/** The changes of one group as one change. A member that is added and removed again is in neither list. */
function merged(changes: readonly GroupChange[]): Omit<GuardedChange, 'before'> {
  const [only] = changes
  const last = changes.at(-1)
  if (only === undefined || last === undefined) throw new Error('a group without changes must not be stored')
  if (only === last) return only
  const added = new Map<string, Member>()
  const addedBy = new Map<string, string>()
  const removed = new Set<string>()
  for (const change of changes) {
    for (const member of change.added) {
      addedBy.set(member.value, change.tokenHash)
      if (!removed.delete(member.value)) added.set(member.value, member)
    }
    for (const id of change.removed) if (!added.delete(id)) removed.add(id)
  }
  const documents = changes.findLast((change) => change.documents !== undefined)?.documents
  return {
    after: last.after,
    documents,
    added: [...added.values()],
    removed: [...removed],
    removesAll: false,
    tokenHash: last.tokenHash,
    addedBy,
  }
}
