/**
 * SQLite's errors with D1's text: `D1_ERROR: UNIQUE constraint failed: users.x: SQLITE_CONSTRAINT (extended:
 * SQLITE_CONSTRAINT_UNIQUE)`. The offset of a syntax error is missing, because node:sqlite does not report it.
 */

/** Primary result codes: https://www.sqlite.org/rescode.html */
const PRIMARY: Readonly<Record<number, string>> = {
  1: 'SQLITE_ERROR',
  2: 'SQLITE_INTERNAL',
  3: 'SQLITE_PERM',
  4: 'SQLITE_ABORT',
  5: 'SQLITE_BUSY',
  6: 'SQLITE_LOCKED',
  7: 'SQLITE_NOMEM',
  8: 'SQLITE_READONLY',
  9: 'SQLITE_INTERRUPT',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  15: 'SQLITE_PROTOCOL',
  17: 'SQLITE_SCHEMA',
  18: 'SQLITE_TOOBIG',
  19: 'SQLITE_CONSTRAINT',
  20: 'SQLITE_MISMATCH',
  21: 'SQLITE_MISUSE',
  22: 'SQLITE_NOLFS',
  23: 'SQLITE_AUTH',
  25: 'SQLITE_RANGE',
  26: 'SQLITE_NOTADB',
}

/** Codes by text: Deno's exec() gives the text alone, and its constructor the text and the path. */
const BY_TEXT: Readonly<Record<string, number>> = {
  'access permission denied': 3,
  'database is locked': 5,
  'database table is locked': 6,
  'attempt to write a readonly database': 8,
  'disk I/O error': 10,
  'database disk image is malformed': 11,
  'database or disk is full': 13,
  'unable to open database file': 14,
  'file is not a database': 26,
}

/** Extended codes of SQLITE_CONSTRAINT: the number above the low byte, 19. */
const CONSTRAINT: Readonly<Record<number, string>> = {
  1: 'CHECK',
  2: 'COMMITHOOK',
  3: 'FOREIGNKEY',
  4: 'FUNCTION',
  5: 'NOTNULL',
  6: 'PRIMARYKEY',
  7: 'TRIGGER',
  8: 'UNIQUE',
  9: 'VTAB',
  10: 'ROWID',
  11: 'PINNED',
  12: 'DATATYPE',
}

/** An error in D1's form: the prefix in the message, the bare text in the cause. */
export function d1Error(text: string, code = 'D1_ERROR'): Error {
  return new Error(`${code}: ${text}`, { cause: new Error(text) })
}

/** An error of node:sqlite in D1's form. Errors in D1's form stay as they are. */
export function toD1Error(error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error)
  if (/^D1_\w+: /.test(message)) return error as Error
  const code = sqliteCode(error)
  if (code === undefined) return d1Error(message)
  const constraint = code === 19 ? CONSTRAINT[extendedCode(error) >> 8] : undefined
  const extended = constraint === undefined ? '' : ` (extended: SQLITE_CONSTRAINT_${constraint})`
  return d1Error(`${message}: ${PRIMARY[code] ?? `SQLITE_${code}`}${extended}`)
}

/** The primary result code of an error of node:sqlite. @returns undefined for other errors */
export function sqliteCode(error: unknown): number | undefined {
  const extended = extendedCode(error)
  return extended === 0 ? undefined : extended & 0xff
}

function extendedCode(error: unknown): number {
  if (!(error instanceof Error)) return 0
  if ('errcode' in error) return Number(error.errcode) || 0
  return BY_TEXT[error.message.replace(/: .*/s, '')] ?? 0
}
