/**
 * The groups of a tenant while writes are decided that will be stored together: what was loaded, and on top
 * of it what the writes decided so far would change. Each write sees those before it. In memory only.
 */
import type { Complex } from '../scim/comparison.ts'
import { fold } from '../scim/fold.ts'
import type { Member } from '../scim/patch/members.ts'
import type { GroupChange, GroupNeeds, GuardedChange, LoadedGroups } from '../storage/groups.ts'
import type { Stored } from '../storage/resources.ts'
import type { KnownGroup } from './groups.ts'

export class GroupDraft {
  readonly #loaded: LoadedGroups
  readonly #groups: Map<string, Stored>
  readonly #changed = new Map<string, Changed>()
  #created = 0

  /** @param loaded is changed: nobody else may use it */
  constructor(loaded: LoadedGroups) {
    this.#loaded = loaded
    this.#groups = new Map(loaded.groups)
  }

  /** What a write sees that is decided now. @param needs are among those that were loaded */
  known({ id, displayNameKey, memberIds, allMembers }: GroupNeeds): KnownGroup {
    const { memberCounts, uniqueNames, nameOwners, groupCount, groupLimit, directory, members } = this.#loaded
    const owner = displayNameKey === undefined ? undefined : nameOwners.get(displayNameKey)
    const present = members.get(id)
    return {
      group: this.#groups.get(id),
      memberCount: memberCounts.get(id) ?? 0,
      isNameTaken: uniqueNames && owner !== undefined && owner !== id,
      groupCount: groupCount + this.#created,
      groupLimit,
      directory,
      members: allMembers
        ? [...(present?.values() ?? [])]
        : memberIds.flatMap((memberId) => present?.get(memberId) ?? []),
    }
  }

  apply(change: GroupChange): void {
    const { before, after, documents, added, removed } = change
    if (before === undefined) this.#created++
    if (documents !== undefined) this.#rename(after.id, before?.resource, after.resource)
    this.#groups.set(after.id, after)
    this.#changeMembers(after.id, added, removed)
    this.#changed.set(after.id, joined(this.#changed.get(after.id), change))
  }

  /** What is to be stored: each changed group once, however many writes changed it. */
  get changes(): readonly GuardedChange[] {
    return Array.from(this.#changed.values(), (changed) => ({
      ...changed,
      before: this.#loaded.groups.get(changed.after.id),
      added: [...changed.added.values()],
      removed: [...changed.removed],
    }))
  }

  #changeMembers(groupId: string, added: readonly Member[], removed: readonly string[]): void {
    const { members } = this.#loaded
    const present = members.get(groupId) ?? new Map<string, Member>()
    for (const id of removed) present.delete(id)
    for (const member of added) present.set(member.value, member)
    members.set(groupId, present)
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

/** The changes of one group so far, as one. */
interface Changed extends Pick<GroupChange, 'after' | 'documents'> {
  readonly added: Map<string, Member>
  readonly removed: Set<string>
}

/** Adds a change to those before it. Who comes and goes again, or the other way round, leaves nothing to store. */
function joined(earlier: Changed | undefined, { after, documents, ...change }: GroupChange): Changed {
  const { added, removed } = earlier ?? { added: new Map<string, Member>(), removed: new Set<string>() }
  for (const member of change.added) if (!removed.delete(member.value)) added.set(member.value, member)
  for (const id of change.removed) if (!added.delete(id)) removed.add(id)
  if (earlier === undefined) return { after, documents, added, removed }
  return { ...earlier, after, documents: documents ?? earlier.documents }
}
