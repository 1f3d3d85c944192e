/**
 * The database: statements, batches, what a batch cost, and D1's limits. A batch is one transaction and
 * one round trip; there is nothing else, because D1 has no interactive transactions.
 *
 * Statements are made with drizzle's `sql` over tables.ts and run here. drizzle's own `batch` is not used:
 * in 0.45 it cannot bind parameters of raw statements and it mixes up equal column names of a join.
 */
import type { D1Database } from '@cloudflare/workers-types'
import { is, Placeholder, type SQLWrapper, sql } from 'drizzle-orm'
import { SQLiteAsyncDialect } from 'drizzle-orm/sqlite-core'

// D1 refuses a 101st bound parameter: https://developers.cloudflare.com/d1/platform/limits/
export const MAX_BOUND_PARAMETERS = 100
// The most bytes in a row, a string or a BLOB: same page. The local simulator does not hold it, we do.
export const MAX_ROW_BYTES = 2_000_000
// Queries that D1 answers to one invocation of a Worker: same page. (50 on the free plan.)
export const MAX_QUERIES = 1_000
// The same on the free plan. Whatever can be done in turns keeps to it on every plan: nothing tells which one it is.
export const MAX_QUERIES_FREE = 50

/**
 * How long a batch may take before it counts as unanswered: shorter than D1's own limit of 30 seconds, so
 * that the client hears of it, and so that one hanging batch does not hold up a queue for ever.
 */
export const BATCH_TIMEOUT_MS = 15_000

export type SqlValue = string | number | null
export type Row = Readonly<Record<string, SqlValue>>

/** SQL text with numbered parameters `?1`, `?2`, … and their values. */
export interface Statement {
  readonly sql: string
  readonly params: readonly SqlValue[]
}

export interface StatementResult {
  readonly rows: readonly Row[]
  /** Rows that the statement inserted, updated or deleted. */
  readonly changes: number
}

/** An async SQLite database. Every runtime has its own way to open one. */
export interface Database {
  /**
   * Runs the statements in order as one transaction, in one round trip.
   *
   * @throws {GuardError} a rule of the database refused; nothing is changed
   * @throws {UniqueError} a value is there already; nothing is changed
   * @throws {ValueTooLarge} a value would be larger than the database takes; nothing is changed
   * @throws {DatabaseUnavailable} no answer: the batch was applied as a whole or not at all
   */
  batch(statements: readonly Statement[]): Promise<readonly StatementResult[]>
}

/** A database that knows how many statements it was asked to run. */
export interface CountedDatabase extends Database {
  readonly statements: number
}

export function countStatements(db: Database): CountedDatabase {
  let count = 0
  return {
    get statements() {
      return count
    },
    batch(statements) {
      count += statements.length
      return db.batch(statements)
    },
  }
}

/** What a request cost at the database. Times are milliseconds at the database, without the way there. */
export interface DatabaseFigures {
  roundTrips: number
  rowsRead: number
  rowsWritten: number
  durationMs: number
}

export function noFigures(): DatabaseFigures {
  return { roundTrips: 0, rowsRead: 0, rowsWritten: 0, durationMs: 0 }
}

/** The figures as the value of a Server-Timing header (https://www.w3.org/TR/server-timing/). */
export function serverTimingOf({ durationMs, roundTrips, rowsRead, rowsWritten }: DatabaseFigures): string {
  const description = `${roundTrips} round trips, ${rowsRead} rows read, ${rowsWritten} rows written`
  return `d1;dur=${durationMs.toFixed(2)};desc="${description}"`
}

/** Adds what was spent elsewhere for the same request, such as in the group coordinator. */
export function addFigures(figures: DatabaseFigures, more: DatabaseFigures): void {
  figures.roundTrips += more.roundTrips
  figures.rowsRead += more.rowsRead
  figures.rowsWritten += more.rowsWritten
  figures.durationMs += more.durationMs
}

/** A rule in migrations/ refused the batch. */
export class GuardError extends Error {
  readonly rule:
    | 'no token'
    | 'revoked token'
    | 'expired token'
    | 'read token'
    | 'stale version'
    | 'group limit'
    | 'unknown member'
    | 'importing'
    | 'deleting'
    | 'moving'
    | 'moved'
    | 'nested groups'
    | 'stale tenant'

  constructor(rule: GuardError['rule'], options?: ErrorOptions) {
    super(`guard: ${rule}`, options)
    this.rule = rule
  }
}

/** A UNIQUE index refused the batch. `columns` as SQLite names them: `users.tenant_id, users.user_name_key`. */
export class UniqueError extends Error {
  readonly columns: string

  constructor(columns: string, options?: ErrorOptions) {
    super(`not unique: ${columns}`, options)
    this.columns = columns
  }
}

/** What was asked for is larger than one value of the database may be: such as the list of groups of a user. */
export class ValueTooLarge extends Error {}

/** The database did not answer, or answered that it cannot now. */
export class DatabaseUnavailable extends Error {}

/** The part of D1's binding that is used; other runtimes imitate it. */
export type D1Binding = Pick<D1Database, 'prepare' | 'batch'>

/**
 * Opens a D1 binding for one request.
 *
 * @param figures receives what each batch cost, from D1's own `meta`
 * @param timeoutMs Infinity where the database is in the same process: then nothing can stay away
 */
export function openDatabase(
  binding: D1Binding,
  figures: DatabaseFigures,
  timeoutMs = BATCH_TIMEOUT_MS,
): Database {
  return {
    async batch(statements) {
      const prepared = statements.map(({ sql, params }) => binding.prepare(sql).bind(...params))
      figures.roundTrips++
      try {
        const results = await withTimeout(binding.batch<Record<string, SqlValue>>(prepared), timeoutMs)
        for (const { meta } of results) {
          figures.rowsRead += meta.rows_read
          figures.rowsWritten += meta.rows_written
          figures.durationMs += meta.duration
        }
        return results.map(({ results: rows, meta }) => ({ rows, changes: meta.changes }))
      } catch (error) {
        throw translateError(error)
      }
    },
  }
}

/**
 * The same database for what takes many batches, such as an export: each waits for its turn first.
 *
 * @param turn undefined where nobody else waits
 */
export function inTurn(db: Database, turn: (() => Promise<void> | undefined) | undefined): Database {
  if (turn === undefined) return db
  return {
    async batch(statements) {
      await turn()
      return await db.batch(statements)
    },
  }
}

/** What is given up here may still be done over there: see DatabaseUnavailable. */
export async function withTimeout<Result>(answer: Promise<Result>, ms: number): Promise<Result> {
  if (ms === Number.POSITIVE_INFINITY) return await answer
  let timer: ReturnType<typeof setTimeout> | undefined
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([answer, expiry])
  } finally {
    if (timer !== undefined) clearTimeout(timer)
  }
}

/**
 * D1 tells errors apart by their text alone: `D1_ERROR: UNIQUE constraint failed: users.x: SQLITE_CONSTRAINT…`.
 * An error that names a fault in our SQL is ours; all others mean that the database cannot answer now.
 */
function translateError(cause: unknown): Error {
  const message = cause instanceof Error ? cause.message : String(cause)
  const guard =
    /guard: (no token|revoked token|expired token|read token|stale version|stale tenant|group limit|unknown member|nested groups|importing|deleting|moving|moved)/.exec(
      message,
    )
  if (guard) return new GuardError(guard[1] as GuardError['rule'], { cause })
  const unique = /UNIQUE constraint failed: ([\w., ]+)/.exec(message)
  if (unique) return new UniqueError(unique[1] ?? '', { cause })
  if (/string or blob too big/.test(message)) return new ValueTooLarge('a value is too large', { cause })
  if (/SQLITE_(?:ERROR|CONSTRAINT|MISMATCH|RANGE|TOOBIG)|D1_TYPE_ERROR/.test(message)) {
    return new Error('the database refused a statement', { cause })
  }
  return new DatabaseUnavailable('the database does not answer', { cause })
}

class NumberingDialect extends SQLiteAsyncDialect {
  override escapeParam(index: number): string {
    return `?${index + 1}`
  }
}

const dialect = new NumberingDialect()

/**
 * The statement of a drizzle query. More parameters than D1 binds travel as one JSON array: each then is
 * a constant expression, which an index can still be searched for.
 */
export function statement(query: SQLWrapper): Statement {
  const { sql: text, params } = render(query)
  if (params.length <= MAX_BOUND_PARAMETERS) return { sql: text, params: params as SqlValue[] }
  const packed = text.replace(/\?(\d+)/g, (_, number) => `(?1->>${Number(number) - 1})`)
  return { sql: packed, params: [JSON.stringify(params)] }
}

function render(query: SQLWrapper): { sql: string; params: unknown[] } {
  const { sql: written, params } = dialect.sqlToQuery(query.getSQL())
  // Indentation counts towards D1's limit of 100,000 bytes in a statement; no text of ours breaks a line.
  return { sql: written.replace(/\s*\n\s*/g, ' '), params }
}

/** Stands for values that come with each use of a prepared statement, by name. */
export type Slots<Name extends string> = Readonly<Record<Name, Placeholder>>

const SLOTS = new Proxy({}, { get: (_, name) => sql.placeholder(String(name)) })

/**
 * A statement whose text is written once and used with other values each time: writing it costs more
 * processor time than SQLite needs for it. Written at the first use, so that the start costs nothing.
 *
 * @param build puts its slots where values will be; there are at most MAX_BOUND_PARAMETERS
 */
export function prepared<Name extends string>(
  build: (slots: Slots<Name>) => SQLWrapper,
): (values: Readonly<Record<Name, SqlValue>>) => Statement {
  let template: Template<Name> | undefined
  return (values) => {
    template ??= templateOf(build(SLOTS as Slots<Name>))
    return { sql: template.sql, params: template.params.map((param) => param(values)) }
  }
}

interface Template<Name extends string> {
  readonly sql: string
  readonly params: readonly ((values: Readonly<Record<Name, SqlValue>>) => SqlValue)[]
}

/** A slot that is used more than once is bound once. */
function templateOf<Name extends string>(query: SQLWrapper): Template<Name> {
  const { sql: text, params } = render(query)
  const numbers = new Map<unknown, number>()
  const bound: Template<Name>['params'][number][] = []
  const numberOf = (param: unknown): number => {
    const name = is(param, Placeholder) ? (param.name as Name) : undefined
    const key = name ?? Symbol('constant')
    const number = numbers.get(key) ?? bound.push((values) => (name ? values[name] : (param as SqlValue)))
    numbers.set(key, number)
    return number
  }
  const renumbered = params.map(numberOf)
  return { sql: text.replace(/\?(\d+)/g, (_, number) => `?${renumbered[number - 1]}`), params: bound }
}
