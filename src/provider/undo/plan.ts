/**
 * What undoing the changes of one client means for one resource. Pure.
 *
 * The events of the resource are walked from the newest to the oldest. For each attribute, and for each member of a group,
 * the changes of the client are taken back as long as nobody else has changed the same since; at the first change by anybody
 * else, the older ones are left. The changes of the undo itself count as neither, so it can be interrupted and repeated.
 */
import { type Complex, isComplex } from '../../scim/comparison.ts'
import type { HistoryEvent } from '../../storage/events/history.ts'
import type { UndoWindow } from '../../storage/events/undo.ts'

/** Why a change of the client is left. */
export type LeftReason =
  | 'changed by others since'
  | 'previous value not kept'
  | 'not kept after its deletion'
  | 'name in use'
  | 'group limit'
  | 'used by others'
  | 'member gone'

/** A change of the client that stays. */
export interface LeftChange {
  /** The kind of the change: "created", "deleted", "changed", "joined" or "left". */
  readonly what: 'created' | 'deleted' | 'changed' | 'joined' | 'left'
  /** The attribute, or the id of the member. */
  readonly of: string | undefined
  readonly reason: LeftReason
  /** Who has changed it since; undefined if that is not the reason. */
  readonly byClientId: string | null | undefined
}

export interface UndoPlan {
  /** Whether the resource shall exist; undefined: the client neither created nor deleted it, or that is left. */
  readonly exists: boolean | undefined
  /** The values that attributes shall have; null for none. */
  readonly values: Complex
  /** Whether each member shall be one. */
  readonly members: ReadonlyMap<string, boolean>
  readonly left: readonly LeftChange[]
}

/** The state of an attribute, a member, or the existence of a resource during the walk. */
interface Key {
  /** The value before the oldest change so far that is taken back. */
  before?: unknown
  /** Who has changed it after the changes that are walked next; undefined: nobody. */
  stoppedBy?: string | null
  /** The value that they gave it last, if their event has it. */
  present?: unknown
  /** The value before the oldest change so far that is left because of them. */
  wanted?: unknown
}

const EXISTENCE = ' existence'

export class UndoPlanner {
  readonly #window: UndoWindow
  readonly #requestId: string | undefined
  readonly #attributes = new Map<string, Key>()
  readonly #members = new Map<string, Key>()
  readonly #existence: Key = {}
  readonly #left = new Map<string, LeftChange>()
  /** Set once somebody else has changed all of the resource, as a creation does. */
  #allStoppedBy: string | null | undefined
  #touchedBy: string | null | undefined

  /** @param requestId that of the undo itself */
  constructor(window: UndoWindow, requestId: string | undefined) {
    this.#window = window
    this.#requestId = requestId
  }

  /** Walks one event, which is older than those before. */
  walk(event: HistoryEvent): void {
    if (event.requestId !== null && event.requestId === this.#requestId) return
    const { clientId, from, to } = this.#window
    const isTarget = event.clientId === clientId && event.time >= from && event.time <= to
    const kind = event.type.slice(event.type.indexOf('.') + 1)
    if (kind === 'created' || kind === 'deleted') this.#walkExistence(event, kind, isTarget)
    else if (kind === 'members_added' || kind === 'members_removed') this.#walkMembers(event, kind, isTarget)
    else this.#walkAttributes(event, isTarget)
    if (!isTarget) this.#touchedBy = event.clientId
  }

  plan(): UndoPlan {
    const values: Complex = {}
    for (const [name, key] of this.#attributes) if ('before' in key) values[name] = key.before
    const members = new Map<string, boolean>()
    for (const [id, key] of this.#members) if ('before' in key) members.set(id, key.before === true)
    const exists = 'before' in this.#existence ? this.#existence.before === true : undefined
    const left = [...this.#left.values()].filter(
      ({ what, of }) => what !== 'changed' || !this.#isAsBefore(of),
    )
    return { exists, values, members, left }
  }

  /** Whether others have given an attribute the value that it would get, as an earlier undo does. */
  #isAsBefore(name: string | undefined): boolean {
    const key = this.#attributes.get(name ?? '')
    if (key === undefined || !('present' in key && 'wanted' in key)) return false
    return JSON.stringify(key.present) === JSON.stringify(key.wanted)
  }

  #walkExistence(event: HistoryEvent, kind: 'created' | 'deleted', isTarget: boolean): void {
    const key = this.#existence
    if (!isTarget) {
      this.#allStoppedBy ??= event.clientId
      key.stoppedBy ??= event.clientId
      return
    }
    // A creation is taken back only if nobody else has changed anything of it; a deletion also if somebody has before.
    const by = key.stoppedBy !== undefined ? key.stoppedBy : kind === 'created' ? this.#touchedBy : undefined
    if (by === undefined) key.before = kind === 'deleted'
    else this.#leave(kind, undefined, 'changed by others since', by)
  }

  #walkMembers({ data, clientId }: HistoryEvent, kind: string, isTarget: boolean): void {
    const { members } = JSON.parse(data) as Complex
    for (const id of Array.isArray(members) ? members.map(String) : []) {
      const key = keyOf(this.#members, id)
      if (!isTarget) key.stoppedBy ??= clientId
      else {
        const by = this.#stopped(key)
        if (by === undefined) key.before = kind === 'members_removed'
        else this.#leave(kind === 'members_added' ? 'joined' : 'left', id, 'changed by others since', by)
      }
    }
  }

  #walkAttributes({ data, previous, clientId }: HistoryEvent, isTarget: boolean): void {
    const before = previous === null ? undefined : (JSON.parse(previous) as Complex)
    const after = JSON.parse(data) as Complex
    const names = namesOf(after, before)
    // Nobody knows which attributes it changed.
    if (names.length === 0) this.#allStoppedBy ??= clientId
    for (const name of names) {
      const key = keyOf(this.#attributes, name)
      if (!isTarget) {
        const { attributes } = after
        const isFirst = key.stoppedBy === undefined && !('before' in key)
        if (isFirst && isComplex(attributes) && name in attributes) key.present = attributes[name]
        key.stoppedBy ??= clientId
      } else {
        const by = this.#stopped(key)
        if (by !== undefined) {
          if (before !== undefined && name in before) key.wanted = before[name]
          else delete key.wanted
          this.#leave('changed', name, 'changed by others since', by)
        } else if (before !== undefined && name in before) key.before = before[name]
        else {
          this.#leave('changed', name, 'previous value not kept', undefined)
          key.stoppedBy = clientId
        }
      }
    }
  }

  #stopped(key: Key): string | null | undefined {
    return key.stoppedBy === undefined ? this.#allStoppedBy : key.stoppedBy
  }

  #leave(
    what: LeftChange['what'],
    of: string | undefined,
    reason: LeftReason,
    by: string | null | undefined,
  ): void {
    const key = `${what} ${of ?? EXISTENCE}`
    if (!this.#left.has(key)) this.#left.set(key, { what, of, reason, byClientId: by })
  }
}

function keyOf(keys: Map<string, Key>, name: string): Key {
  const key = keys.get(name) ?? {}
  keys.set(name, key)
  return key
}

/** The names of the top-level attributes that an event changed. Of an extension, the path begins with its URN. */
function namesOf({ changed, attributes }: Complex, before: Complex | undefined): readonly string[] {
  if (before !== undefined) return Object.keys(before)
  const shown = isComplex(attributes) ? Object.keys(attributes) : []
  if (shown.length > 0) return shown
  return Array.isArray(changed) ? [...new Set(changed.map((path) => topOf(String(path))))] : []
}

function topOf(path: string): string {
  if (!path.toLowerCase().startsWith('urn:')) return path.split('.')[0] ?? path
  return path.slice(0, path.lastIndexOf(':'))
}
