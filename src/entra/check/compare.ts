/** Compares resources in responses with the values that were sent. Pure. */
import { isObject, type JsonObject } from '../problem.ts'
import { readTargetPath } from '../protocol/attribute-path.ts'
import { bad, deviation, type Finding, pass } from './findings.ts'

/** Expected values by target path. */
export type Expected = Readonly<Record<string, unknown>>

/** One finding for each expected value that is not shown, and for each excluded attribute that is. */
export function compare(
  resource: JsonObject,
  expected: Expected,
  absent: readonly string[] = [],
): readonly Finding[] {
  return [
    ...Object.entries(expected).map(([path, value]) =>
      compareValue(readTargetPath(resource, path), value, path),
    ),
    ...absent
      .filter((path) => readTargetPath(resource, path) !== undefined)
      .map((path) => deviation('excluded', `"${path}" is returned although it was excluded`)),
  ]
}

function compareValue(shown: unknown, value: unknown, path: string): Finding {
  // A number as an id is a finding of its own.
  if (path === 'id') return shown !== undefined && String(shown) === value ? pass() : wrongId(shown, value)
  if (shown === value || (Array.isArray(value) && JSON.stringify(shown) === JSON.stringify(value)))
    return pass()
  const found = shown === undefined ? 'is not returned' : `is ${JSON.stringify(shown)}`
  return deviation('value', `"${path}" ${found}, expected ${JSON.stringify(value)}`, path)
}

function wrongId(shown: unknown, expected: unknown): Finding {
  const found = shown === undefined ? 'is not returned' : `is ${JSON.stringify(shown)}`
  return bad('id', `"id" ${found}, and was ${JSON.stringify(expected)} before`)
}

/** RFC 7643 §3.1: "id" is a string that is not empty. */
export function idOf(resource: JsonObject): Finding {
  const { id } = resource
  if (typeof id === 'string' && id !== '') return pass()
  if (id === undefined || id === null || id === '') return bad('id', 'the resource has no "id"', 'id')
  return bad('id', `"id" is the ${typeof id} ${JSON.stringify(id)}, and must be a string`, 'id')
}

/** Compares the members of a group by their values, in any order. */
export function compareMembers(group: JsonObject, expected: readonly string[]): readonly Finding[] {
  const shown = readTargetPath(group, 'members') ?? []
  if (!Array.isArray(shown)) return [bad('body', '"members" is not a list')]
  const ids = shown.map((member: unknown) => String(isObject(member) ? member.value : member))
  const found = new Set(ids)
  const missing = expected.filter((id) => !found.has(id)).length
  const others = [...found].filter((id) => !expected.includes(id)).length
  const amount = `the group has ${countOf(found.size)}, expected ${expected.length}`
  return [
    missing === 0 ? pass() : deviation('missing', `${amount}: ${missing} missing`),
    others === 0 ? pass() : deviation('surplus', `${amount}: ${others} too many`),
    ids.length === found.size ? pass() : deviation('form', 'a member is listed twice', 'repeated member'),
  ]
}

function countOf(members: number): string {
  return members === 1 ? '1 member' : `${members} members`
}
