/**
 * Shortens log entries before they are stored: the one place for all writers. The limits are in scim/limits.ts. A
 * text that was cut states its original length.
 */
import type { AttributeChange } from '../../scim/changes.ts'
import { type Complex, isComplex } from '../../scim/comparison.ts'
import {
  MAX_LOGGED_CHANGES_CHARACTERS,
  MAX_LOGGED_DETAIL_CHARACTERS,
  MAX_LOGGED_ID_CHARACTERS,
  MAX_LOGGED_IGNORED_CHARACTERS,
  MAX_LOGGED_NAME_CHARACTERS,
  MAX_LOGGED_TEXT_CHARACTERS,
  MAX_LOGGED_VALUE_CHARACTERS,
  MAX_REQUEST_ID_CHARACTERS,
} from '../../scim/limits.ts'
import type { LogEntry } from './log-entry.ts'

/** The entry in its stored form. */
export function shortenedEntry(entry: LogEntry): LogEntry {
  const { resourceId, resourceName, detail } = entry
  return {
    ...entry,
    resourceId: resourceId === null ? null : start(resourceId, MAX_LOGGED_ID_CHARACTERS),
    resourceName: resourceName === null ? null : start(resourceName, MAX_LOGGED_NAME_CHARACTERS),
    detail: detail === null ? null : start(detail, MAX_LOGGED_DETAIL_CHARACTERS),
    changes: shortenedChanges(entry.changes),
    ignored: elementsWithin(entry.ignored, MAX_LOGGED_IGNORED_CHARACTERS, (name) => name),
    requestId: start(entry.requestId, MAX_REQUEST_ID_CHARACTERS),
  }
}

/** Does not cut a surrogate pair: databases reject half of one. */
function start(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text
  return `${text.slice(0, maxCharacters - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}

/** In order, each within the space that the previous ones left. */
function shortenedChanges(changes: readonly AttributeChange[]): readonly AttributeChange[] {
  // This is the case for nearly all entries.
  if (lengthOf(changes) <= MAX_LOGGED_TEXT_CHARACTERS) return changes
  let left = MAX_LOGGED_CHANGES_CHARACTERS
  const shown = (value: unknown) => {
    const short = shortenedValue(value, Math.min(MAX_LOGGED_VALUE_CHARACTERS, left))
    left -= lengthOf(short)
    return short
  }
  return changes.map((change) => ({
    attribute: change.attribute,
    ...('old' in change && { old: shown(change.old) }),
    ...('new' in change && { new: shown(change.new) }),
  }))
}

/** @param room the space in characters of JSON */
function shortenedValue(value: unknown, room: number): unknown {
  if (Array.isArray(value)) return elementsWithin(value, room, (element) => shortenedValue(element, room))
  const short = isComplex(value) ? shortenedParts(value, room) : shortenedText(value)
  return lengthOf(short) <= room ? short : `(${lengthOf(value)} characters, not logged)`
}

function shortenedParts(value: Complex, room: number): Complex {
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, shortenedValue(part, room)]))
}

function shortenedText(value: unknown): unknown {
  if (typeof value !== 'string' || value.length <= MAX_LOGGED_TEXT_CHARACTERS) return value
  return `${start(value, MAX_LOGGED_TEXT_CHARACTERS)} (${value.length} characters)`
}

/** The first elements that fit, then the number of the others. */
function elementsWithin<Element, Short>(
  elements: readonly Element[],
  room: number,
  shortened: (element: Element) => Short,
): (Short | string)[] {
  const kept: (Short | string)[] = []
  let left = room
  for (const element of elements) {
    const short = shortened(element)
    left -= lengthOf(short)
    if (left < 0) return [...kept, `and ${elements.length - kept.length} more`]
    kept.push(short)
  }
  return kept
}

function lengthOf(value: unknown): number {
  return JSON.stringify(value)?.length ?? 0
}
