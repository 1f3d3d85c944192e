/**
 * Problems in a document that a person wrote: the path of keys and a message. Pure; cli/files/documents.ts turns the
 * path into file, line and field.
 */

export type FieldPath = readonly (string | number)[]

export interface Problem {
  readonly path: FieldPath
  readonly message: string
}

/** Collects problems while a document is read, so that all of them can be reported together. */
export class Problems {
  readonly list: Problem[] = []

  add(path: FieldPath, message: string): void {
    this.list.push({ path, message })
  }

  /** True if there is no problem at the path or below it. */
  hasNone(path: FieldPath): boolean {
    return !this.list.some((problem) => path.every((key, index) => problem.path[index] === key))
  }
}

/** Formats a path, e.g. `users[3].userPrincipalName`. */
export function describePath(path: FieldPath): string {
  let text = ''
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`
    else text += text === '' ? key : `.${key}`
  }
  return text === '' ? 'the document' : text
}

/** Describes a value for an error message, e.g. `null`, `a list`, `the number 3`. */
export function describeType(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'string')
    return value === '' ? 'an empty string' : `the string "${value.slice(0, 60)}"`
  return `the ${typeof value} ${String(value)}`
}

export type JsonObject = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** More than any SCIM message has; functions that walk through a value call themselves for each level. */
const MAX_NESTING = 200

/**
 * Parses JSON that somebody else wrote, without a byte order mark.
 * @throws {SyntaxError} if it is not JSON, or is nested more than 200 levels deep
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''))
  if (nestingOf(value) > MAX_NESTING)
    throw new SyntaxError(`the JSON is nested more than ${MAX_NESTING} levels deep`)
  return value
}

/** The levels of a value, counted no further than it is allowed. */
function nestingOf(value: unknown): number {
  let level: readonly unknown[] = [value]
  for (let depth = 0; depth <= MAX_NESTING; depth++) {
    level = level.flatMap((part) => (typeof part === 'object' && part !== null ? Object.values(part) : []))
    if (level.length === 0) return depth
  }
  return MAX_NESTING + 1
}
