/**
 * Compares an export with a directory, in one pass over each. The export is read in chunks, and each chunk is looked up by
 * its keys. Memory holds a chunk, the ids of both sides, and the differences up to a limit. Then the directory is read once,
 * in pages, for what the export does not have.
 */
import { type Counts, type Difference, type DriftResult, MATCH_KEYS, type MatchKey } from './difference.ts'
import { DriftError } from './drift-error.ts'
import type { Attributes, Exported, ExportedMember, ResourceTypeName } from './exported.ts'
import { ALWAYS_MAPPED } from './scim-attributes.ts'

/** A resource of the directory. */
export interface StoredEntry {
  readonly id: string
  readonly attributes: Attributes
}

/** The columns that resources are looked up by. */
export type Column = 'userName' | 'displayName' | 'externalId' | 'nativeObjectId'

/** The directory that an export is compared with. */
export interface StoredDirectory {
  /** The resource with each value, or undefined. The case of userName and displayName does not matter. */
  find(
    type: ResourceTypeName,
    column: Column,
    values: readonly string[],
  ): Promise<readonly (StoredEntry | undefined)[]>
  /** All resources of the type, in pages. */
  pages(type: ResourceTypeName): AsyncIterable<readonly StoredEntry[]>
  /** The ids of the members of a group, in pages. */
  members(groupId: string): AsyncIterable<readonly string[]>
}

export interface CompareOptions {
  /** By which users are matched; undefined: by what matches most of the first users. */
  readonly match?: MatchKey | undefined
  readonly notes?: readonly string[]
}

/** Resources that are looked up together. */
const CHUNK = 1_000
/** Resources of each type in an export. Their ids take about 50 MB. */
const MAX_EXPORTED = 250_000
const MAX_DIFFERENCES = 50_000

/** @throws {DriftError} the export cannot be read, or is too large */
export async function compareExport(
  exported: AsyncIterable<Exported>,
  stored: StoredDirectory,
  { match, notes = [] }: CompareOptions,
): Promise<DriftResult> {
  const comparison = new Comparison(stored, match)
  let chunk: Exported[] = []
  for await (const one of exported) {
    if (chunk.length === CHUNK || (chunk[0] !== undefined && chunk[0].type !== one.type)) {
      if (!(await comparison.add(chunk))) return comparison.result(notes)
      chunk = []
    }
    chunk.push(one)
  }
  if (await comparison.add(chunk)) await comparison.addExtra()
  return comparison.result(notes)
}

type Writable<Type> = { -readonly [Name in keyof Type]: Type[Name] }

function noCounts(): Writable<Counts> {
  return { exported: 0, matched: 0, missing: 0, extra: 0, different: 0 }
}

class Comparison {
  readonly #stored: StoredDirectory
  #match: MatchKey | undefined
  #isUnrelated = false
  readonly #counts = { User: noCounts(), Group: noCounts() }
  readonly #members = { missing: 0, extra: 0 }
  /** The ids in the directory by the ids in the source; null if the user is missing. */
  readonly #ids = new Map<string, string | null>()
  readonly #seen = { User: new Set<string>(), Group: new Set<string>() }
  readonly #differences: Difference[] = []
  #differenceCount = 0
  #hasOneGroupOnly = false

  constructor(stored: StoredDirectory, match: MatchKey | undefined) {
    this.#stored = stored
    this.#match = match
  }

  /** @returns false if the export is of another directory */
  async add(chunk: readonly Exported[]): Promise<boolean> {
    const [first] = chunk
    if (first === undefined) return true
    const counts = this.#counts[first.type]
    const isFirst = counts.exported === 0
    counts.exported += chunk.length
    if (counts.exported > MAX_EXPORTED)
      throw new DriftError(`the export has more than ${MAX_EXPORTED} resources of a type; split it`)
    const found =
      first.type === 'User' ? await this.#findUsers(chunk, isFirst) : await this.#findGroups(chunk)
    if (found === undefined) return false
    for (const [i, one] of chunk.entries()) await this.#compare(one, found[i])
    return true
  }

  /** Lists what the directory has and the export has not. */
  async addExtra(): Promise<void> {
    for (const type of ['User', 'Group'] as const) {
      if (this.#counts[type].exported === 0 || (type === 'Group' && this.#hasOneGroupOnly)) continue
      for await (const page of this.#stored.pages(type)) {
        for (const { id, attributes } of page) {
          if (this.#seen[type].has(id)) continue
          this.#counts[type].extra++
          this.#note({ kind: 'extra', resourceType: type, name: nameOf(type, attributes), id })
        }
      }
    }
  }

  result(notes: readonly string[]): DriftResult {
    const { User: users, Group: groups } = this.#counts
    const isSame = this.#differenceCount === 0
    const verdict = this.#isUnrelated ? 'unrelated' : isSame ? 'same' : 'different'
    return {
      verdict,
      summary: SUMMARIES[verdict],
      match: users.exported === 0 ? null : (this.#match ?? null),
      users,
      groups,
      members: this.#members,
      differences: this.#differences,
      differenceCount: this.#differenceCount,
      notes: [...notes, ...this.#notes()],
    }
  }

  #notes(): readonly string[] {
    const { User: users, Group: groups } = this.#counts
    return [
      ...(users.exported > 0 && this.#match ? [`users are matched by ${this.#match}`] : []),
      ...(groups.exported > 0 ? ['groups are matched by externalId, or else by displayName'] : []),
      ...(users.exported === 0 ? ['the export has no users, so users are not compared'] : []),
      ...(groups.exported === 0 ? ['the export has no groups, so groups are not compared'] : []),
      ...(this.#differenceCount > MAX_DIFFERENCES
        ? [`the first ${MAX_DIFFERENCES} of ${this.#differenceCount} differences are listed`]
        : []),
    ]
  }

  async #findUsers(chunk: readonly Exported[], isFirst: boolean) {
    if (!isFirst && this.#match !== undefined) return await this.#findBy(this.#match, chunk)
    const keys = this.#match === undefined ? MATCH_KEYS : [this.#match]
    let best: readonly (StoredEntry | undefined)[] = []
    for (const key of keys) {
      const found = await this.#findBy(key, chunk)
      if (countOf(found) > countOf(best) || best.length === 0) {
        best = found
        this.#match = key
      }
    }
    if (countOf(best) > 0 || (await this.#isEmpty())) return best
    this.#isUnrelated = true
    return undefined
  }

  async #isEmpty(): Promise<boolean> {
    for await (const page of this.#stored.pages('User')) if (page.length > 0) return false
    return true
  }

  async #findBy(key: MatchKey, chunk: readonly Exported[]): Promise<readonly (StoredEntry | undefined)[]> {
    if (key === 'userName') return await this.#find('User', 'userName', chunk, userNameOf)
    if (key === 'objectId')
      return await this.#find('User', 'nativeObjectId', chunk, ({ objectId }) => objectId)
    return await this.#findByExternalId('User', chunk)
  }

  /** Each possible externalId, until one is found. */
  async #findByExternalId(type: ResourceTypeName, chunk: readonly Exported[]) {
    const first = await this.#find(type, 'externalId', chunk, ({ externalIds }) => externalIds[0])
    const second = await this.#find(type, 'externalId', chunk, ({ externalIds }) => externalIds[1])
    return chunk.map((_, i) => first[i] ?? second[i])
  }

  async #findGroups(chunk: readonly Exported[]) {
    this.#hasOneGroupOnly ||= chunk.some(({ sourceId }) => sourceId === undefined)
    const found = await this.#findByExternalId('Group', chunk)
    const byName = await this.#find('Group', 'displayName', chunk, ({ attributes }) =>
      String(attributes.displayName),
    )
    return chunk.map((_, i) => found[i] ?? byName[i])
  }

  async #find(
    type: ResourceTypeName,
    column: Column,
    chunk: readonly Exported[],
    keyOf: (one: Exported) => string | undefined,
  ): Promise<readonly (StoredEntry | undefined)[]> {
    const values = chunk.map(keyOf)
    const wanted = values.filter((value) => value !== undefined)
    const found = wanted.length === 0 ? [] : await this.#stored.find(type, column, wanted)
    let next = 0
    return values.map((value) => (value === undefined ? undefined : found[next++]))
  }

  async #compare(one: Exported, stored: StoredEntry | undefined): Promise<void> {
    const { type, sourceId } = one
    const counts = this.#counts[type]
    if (sourceId !== undefined) this.#ids.set(sourceId, stored?.id ?? null)
    if (stored === undefined) {
      counts.missing++
      this.#note({ kind: 'missing', resourceType: type, name: nameOf(type, one.attributes), id: null })
      return
    }
    counts.matched++
    this.#seen[type].add(stored.id)
    const before = this.#differenceCount
    this.#compareAttributes(one, stored)
    if (one.members !== undefined) await this.#compareMembers(one.members, stored)
    if (this.#differenceCount > before) counts.different++
  }

  #compareAttributes({ type, attributes }: Exported, stored: StoredEntry): void {
    for (const [attribute, exported] of Object.entries(attributes)) {
      const found = stored.attributes[attribute]
      if (isSame(attribute, exported, found)) continue
      if (found === undefined && !ALWAYS_MAPPED.has(attribute)) continue
      const name = nameOf(type, stored.attributes)
      this.#note({
        ...{ kind: 'attribute', resourceType: type, name, id: stored.id },
        ...{ attribute, exported, stored: found ?? null },
      })
    }
  }

  async #compareMembers(members: readonly ExportedMember[], group: StoredEntry): Promise<void> {
    const wanted = await this.#memberIds(members)
    const name = nameOf('Group', group.attributes)
    const base = { resourceType: 'Group', name, id: group.id } as const
    for await (const page of this.#stored.members(group.id)) {
      for (const id of page) {
        if (wanted.delete(id)) continue
        this.#members.extra++
        this.#note({ ...base, kind: 'extra member', attribute: 'members', stored: id })
      }
    }
    for (const exported of wanted.values()) {
      this.#members.missing++
      this.#note({ ...base, kind: 'missing member', attribute: 'members', exported })
    }
  }

  /** @returns the names of the members in the export by their ids in the directory, or by their names if they are not there */
  async #memberIds(members: readonly ExportedMember[]): Promise<Map<string, string>> {
    const unknown = members.filter(({ id }) => id === undefined || !this.#ids.has(id))
    const ids = new Map<string, string>()
    for (const { id, userName } of members) {
      const known = id === undefined ? undefined : this.#ids.get(id)
      const name = userName ?? id ?? ''
      if (typeof known === 'string') ids.set(known, name)
      else if (known === null) ids.set(`missing ${name}`, name)
    }
    for (let from = 0; from < unknown.length; from += CHUNK)
      await this.#lookUp(unknown.slice(from, from + CHUNK), ids)
    return ids
  }

  /** Members that are not among the users of the export: by their userName, or by their object id. */
  async #lookUp(members: readonly ExportedMember[], ids: Map<string, string>): Promise<void> {
    const named = members.filter(({ userName }) => userName !== undefined)
    const byId = members.filter(({ userName, id }) => userName === undefined && id !== undefined)
    const found = [
      ...(await this.#stored.find(
        'User',
        'userName',
        named.map(({ userName }) => userName ?? ''),
      )),
      ...(await this.#stored.find(
        'User',
        'nativeObjectId',
        byId.map(({ id }) => id ?? ''),
      )),
    ]
    for (const [i, { id, userName }] of [...named, ...byId].entries()) {
      const name = userName ?? id ?? ''
      ids.set(found[i]?.id ?? `missing ${name}`, name)
    }
  }

  #note(difference: Pick<Difference, 'kind' | 'resourceType' | 'name' | 'id'> & Partial<Difference>): void {
    this.#differenceCount++
    if (this.#differences.length >= MAX_DIFFERENCES) return
    this.#differences.push({ attribute: null, exported: null, stored: null, ...difference })
  }
}

const SUMMARIES = {
  same: 'The directory has what the export has.',
  different: 'The directory differs from the export. Nothing was changed.',
  unrelated:
    'No user of the export is in the directory: this seems to be the export of another tenant, or users have another key. Nothing is listed.',
} as const

function countOf(found: readonly (StoredEntry | undefined)[]): number {
  return found.filter((one) => one !== undefined).length
}

function userNameOf({ attributes }: Exported): string | undefined {
  return typeof attributes.userName === 'string' ? attributes.userName : undefined
}

function nameOf(type: ResourceTypeName, attributes: Attributes): string {
  return String((type === 'User' ? attributes.userName : attributes.displayName) ?? '')
}

/** RFC 7643 §4.1.1: userName is case-insensitive. */
function isSame(
  attribute: string,
  exported: string | boolean,
  stored: string | boolean | undefined,
): boolean {
  if (attribute !== 'userName') return exported === stored
  return String(exported).toLowerCase() === String(stored ?? '').toLowerCase()
}
