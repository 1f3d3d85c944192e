/**
 * A directory in memory that exports are compared with: the ids, the keys and the compared attributes of its resources, and
 * the members of its groups.
 */
import type { Column, StoredDirectory, StoredEntry } from './compare.ts'
import type { ResourceTypeName } from './exported.ts'
import type { JsonObject } from './json-elements.ts'
import { scimAttributes, scimObjectId } from './scim-attributes.ts'

const PAGE = 1_000

export class EntriesInMemory implements StoredDirectory {
  readonly #entries = { User: new Map<string, StoredEntry>(), Group: new Map<string, StoredEntry>() }
  readonly #byKey = { User: new Map<string, StoredEntry>(), Group: new Map<string, StoredEntry>() }
  readonly #members = new Map<string, readonly string[]>()

  /** Adds a SCIM resource. */
  add(type: ResourceTypeName, resource: JsonObject): void {
    const entry = { id: String(resource.id), attributes: scimAttributes(resource) }
    this.#entries[type].set(entry.id, entry)
    const { userName, displayName, externalId } = resource
    const keys = { userName, displayName, externalId, nativeObjectId: scimObjectId(resource) }
    for (const [column, value] of Object.entries(keys)) {
      if (typeof value === 'string') this.#byKey[type].set(keyOf(column as Column, value), entry)
    }
    const members = Array.isArray(resource.members) ? resource.members : []
    if (type === 'Group')
      this.#members.set(
        entry.id,
        members.map((member: JsonObject) => String(member.value)),
      )
  }

  async find(type: ResourceTypeName, column: Column, values: readonly string[]) {
    return values.map((value) => this.#byKey[type].get(keyOf(column, value)))
  }

  async *pages(type: ResourceTypeName): AsyncGenerator<readonly StoredEntry[]> {
    let page: StoredEntry[] = []
    for (const entry of this.#entries[type].values()) {
      page.push(entry)
      if (page.length === PAGE) {
        yield page
        page = []
      }
    }
    yield page
  }

  async *members(groupId: string): AsyncGenerator<readonly string[]> {
    yield this.#members.get(groupId) ?? []
  }
}

/** The case of the externalId matters. */
function keyOf(column: Column, value: string): string {
  return `${column} ${column === 'externalId' ? value : value.toLowerCase()}`
}
