/**
 * D1's limits, enforced by SQLite itself, so that a directory can move from a file to D1: both accept the same. Both
 * Node.js and Deno can set them on a connection.
 */

// https://developers.cloudflare.com/d1/platform/limits/ lists all but two: the depth of an expression and the terms
// of a compound SELECT, whose limits workerd does not document.
export const D1_LIMITS = {
  /** Bytes in a string, a BLOB or a row. */
  length: 2_000_000,
  /** Bytes in a statement. */
  sqlLength: 100_000,
  column: 100,
  exprDepth: 100,
  compoundSelect: 5,
  functionArg: 32,
  /** Bytes in the pattern of LIKE and GLOB. */
  likePatternLength: 50,
  /** Bound parameters. */
  variableNumber: 100,
} as const

export const MAX_STATEMENT_BYTES: number = D1_LIMITS.sqlLength

const REFUSED = /^\s*(?:BEGIN|SAVEPOINT|RELEASE|COMMIT|END|ROLLBACK|ATTACH|DETACH|VACUUM)\b/i
const PRAGMA = /^\s*PRAGMA\s+(\w+)/i
const ALLOWED_PRAGMAS: ReadonlySet<string> = new Set(['optimize', 'table_list', 'defer_foreign_keys'])

/** Whether D1 runs statements of this kind. It refuses those for transactions and for the file. */
export function isAllowed(sql: string): boolean {
  const pragma = PRAGMA.exec(sql)?.[1]
  return pragma === undefined ? !REFUSED.test(sql) : ALLOWED_PRAGMAS.has(pragma.toLowerCase())
}

/** Texts, names and comments, in which any word may occur. */
const QUOTED = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?\*\//.source
const ALL_QUOTED = new RegExp(QUOTED, 'g')
const PARAMETERS = new RegExp(`${QUOTED}|\\?(\\d*)`, 'g')

/** True only if the statement certainly changes nothing. The function "replace" is not a statement. */
export function isReadOnly(sql: string): boolean {
  if (/^\s*(?:SELECT|EXPLAIN)\b/i.test(sql)) return true
  if (!/^\s*WITH\b/i.test(sql)) return false
  return !/\b(?:INSERT|UPDATE|DELETE|REPLACE\s+INTO)\b/i.test(sql.replace(ALL_QUOTED, ' '))
}

/** The number of values that a statement needs. Texts, names and comments may contain question marks too. */
export function parameterCount(sql: string): number {
  let count = 0
  for (const [, number] of sql.matchAll(PARAMETERS)) {
    if (number !== undefined) count = number === '' ? count + 1 : Math.max(count, Number(number))
  }
  return count
}
