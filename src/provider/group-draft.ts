/**
 * The groups of a tenant while writes are decided that will be stored together: what was loaded, and on top
 * of it what the writes decided so far would change. Each write sees those before it. In memory only.
 */
import type { Complex } from '../scim/comparison.ts'
import { fold } from '../scim/fold.ts'
import type { Member } from '../scim/patch/members.ts'
import type { GroupChange, GroupNeeds, GuardedChange, LoadedGroups } from '../storage/resources/groups.ts'
import type { Stored } from '../storage/tables/stored-resources.ts'
import type { KnownGroup } from './groups.ts'

export class GroupDraft {
  readonly #loaded: LoadedGroups
  readonly #groups: Map<string, Stored>
  /** The changes of each group so far, by its id. */
  readonly #changes = new Map<string, GroupChange[]>()
  /** Those of them whose members are not in `#loaded` yet: of the last write nobody asks. */
  readonly #unseen = new Map<string, GroupChange[]>()
  #created = 0

  /** @param loaded is changed: nobody else may use it */
  constructor(loaded: LoadedGroups) {
    this.#loaded = loaded
    this.#groups = new Map(loaded.groups)
  }

  /** What a write sees that is decided now. @param needs are among those that were loaded */
  known({ id, displayNameKey, memberIds, allMembers }: GroupNeeds): KnownGroup {
    const { memberCounts, uniqueNames, nameOwners, groupCount, groupLimit, directory } = this.#loaded
    const owner = displayNameKey === undefined ? undefined : nameOwners.get(displayNameKey)
    const present = this.#membersOf(id)
    return {
      group: this.#groups.get(id),
      memberCount: memberCounts.get(id) ?? 0,
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
    const { before, after, documents } = change
    if (before === undefined) this.#created++
    if (documents !== undefined) this.#rename(after.id, before?.resource, after.resource)
    this.#groups.set(after.id, after)
    for (const changes of [this.#changes, this.#unseen]) {
      const ofGroup = changes.get(after.id)
      if (ofGroup === undefined) changes.set(after.id, [change])
      else ofGroup.push(change)
    }
  }

  /** What is to be stored: each changed group once, however many writes changed it. */
  get changes(): readonly GuardedChange[] {
    const { groups } = this.#loaded
    return Array.from(this.#changes, ([id, changes]) => ({ ...joined(changes), before: groups.get(id) }))
  }

  #membersOf(groupId: string): ReadonlyMap<string, Member> {
    const { members } = this.#loaded
    const present = members.get(groupId) ?? new Map<string, Member>()
    members.set(groupId, present)
    for (const { added, removed } of this.#unseen.get(groupId) ?? []) {
      for (const id of removed) present.delete(id)
      for (const member of added) present.set(member.value, member)
    }
    this.#unseen.delete(groupId)
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

/**
 * The changes of one group, in their order, as one. Who comes and goes again, or the other way round, leaves nothing to
 * store.
 */
function joined(changes: readonly GroupChange[]): Omit<GroupChange, 'before'> {
  const [only] = changes
  const last = changes.at(-1)
  if (only === undefined || last === undefined) throw new Error('a group without changes is not to be stored')
  if (only === last) return only
  const added = new Map<string, Member>()
  const removed = new Set<string>()
  for (const change of changes) {
    for (const member of change.added) if (!removed.delete(member.value)) added.set(member.value, member)
    for (const id of change.removed) if (!added.delete(id)) removed.add(id)
  }
  const documents = changes.findLast((change) => change.documents !== undefined)?.documents
  return {
    after: last.after,
    documents,
    added: [...added.values()],
    removed: [...removed],
    removesAll: false,
  }
}
