/**
 * The database: statements, batches, what a batch cost, and D1's limits. A batch is one transaction and one round
 * trip. There is nothing else, because D1 has no interactive transactions.
 *
 * Statements are written with drizzle's `sql` and run here. drizzle's own `batch` is not used: version 0.45 cannot
 * bind parameters of raw statements, and it mixes up equal column names of a join.
 */
import type { D1Database, D1PreparedStatement, D1Result } from '@cloudflare/workers-types'
import { is, Placeholder, type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import { CasingCache } from 'drizzle-orm/casing'

// D1 refuses a 101st bound parameter: https://developers.cloudflare.com/d1/platform/limits/
export const MAX_BOUND_PARAMETERS = 100
// The most bytes in a row, a string or a BLOB: same page. The local simulator does not enforce it, so we do.
export const MAX_ROW_BYTES = 2_000_000
// The most queries in one invocation of a Worker on the paid plan: same page.
export const MAX_QUERIES = 1_000
// The same on the free plan. The code cannot tell which plan it runs on, so work that can be split keeps to this
// limit.
export const MAX_QUERIES_FREE = 50

/**
 * How long a batch may take before it counts as unanswered. It is shorter than D1's own limit of 30 seconds, so the
 * client gets an answer and one hanging batch does not block a queue.
 */
export const BATCH_TIMEOUT_MS = 15_000

export type SqlValue = string | number | null
export type Row = Readonly<Record<string, SqlValue>>

/** SQL text with numbered parameters `?1`, `?2`, … and their values. */
export interface Statement {
  readonly sql: string
  readonly params: readonly SqlValue[]
  /** For a write with RETURNING: a SELECT of the same rows, for a request that is explained. */
  readonly returned?: () => Statement
  /**
   * Whether it notes something on which no statement of its batch depends, such as the use of a token. Notes come last. A long
   * batch is not made a write by them, for which other writes would wait.
   */
  readonly isNote?: boolean
  /** Set if the statement changes a tenant in a way that is told if an administrator does it: ../events/administrator-events.ts. */
  readonly act?: Act
}

/** What the event of an administrator tells of a statement. By default, it is told if the statement has changed rows. */
export interface Act {
  /** The id of what the statement creates; by default, the last id in the path of the request. */
  readonly target?: string
  /** The condition under which something changes, before the statement. */
  readonly when?: SQL
  /** A JSON array with the names of the fields that change, before the statement. Nothing changes if it is empty. */
  readonly changed?: SQL
}

export interface StatementResult {
  readonly rows: readonly Row[]
  /** Rows that the statement inserted, updated or deleted. */
  readonly changes: number
  /** What the statement cost, for the figures of joint-writes.ts. */
  readonly cost?: Cost
}

/** What a statement cost. */
type Cost = Omit<DatabaseFigures, 'roundTrips'>

/** A result that is remembered (see remembered.ts), with room for what was made of it. */
export interface RememberedResult extends StatementResult {
  readonly cost: Cost
  made?: unknown
}

/**
 * What is made of a result, and of nothing else. Of a remembered result it is made once.
 *
 * @param make the same function for each result of a statement
 */
export function madeOf<Made extends object>(
  result: StatementResult & Pick<RememberedResult, 'made'>,
  make: () => Made,
): Made {
  if (!('made' in result)) return make()
  result.made ??= make()
  return result.made as Made
}

/** A write of one resource. */
export interface JointWrite {
  readonly tenantId: string
  readonly resourceId: string
}

/** An async SQLite database. Every runtime has its own way to open one. */
export interface Database {
  /** Whether no write is stored, because the request is only explained: see ../explain/explained-database.ts. */
  readonly isExplained?: boolean
  /** Whether long batches run in another thread, so that one that reads more does not delay others. */
  readonly hasThread?: boolean
  /**
   * Runs the statements in order as one transaction, in one round trip.
   *
   * @param isLong whether they take so long that others would wait: self-hosted, they then run in another thread
   * @throws {GuardError} a rule of the database refused the batch; nothing is changed
   * @throws {UniqueError} a value exists already; nothing is changed
   * @throws {ValueTooLarge} a value exceeds the limit of the database; nothing is changed
   * @throws {DatabaseUnavailable} no answer: the batch was applied as a whole or not at all
   * @throws {ClientGone} a long batch that only reads was not begun
   */
  batch(statements: readonly Statement[], isLong?: boolean): Promise<readonly StatementResult[]>
  /**
   * The same database for the batch of a write that may share a transaction with others, and that depends on nothing but its
   * own statements. Undefined where every batch is a transaction.
   */
  jointly?(write: JointWrite): Database
}

/** A database that counts the statements that it was asked to run. */
export interface CountedDatabase extends Database {
  readonly statements: number
}

/** The same database with a count of the statements, for work that may send only so many. */
export function countStatements(db: Database): CountedDatabase {
  let count = 0
  return {
    get statements() {
      return count
    },
    batch(statements, isLong) {
      count += statements.length
      return db.batch(statements, isLong)
    },
  }
}

/** What a request cost at the database. `durationMs` excludes the network. */
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

/** Adds the cost of work that was done elsewhere for the same request, such as in the group coordinator. */
export function addFigures(figures: DatabaseFigures, more: DatabaseFigures): void {
  figures.roundTrips += more.roundTrips
  addCost(figures, more)
}

function addCost(figures: DatabaseFigures, more: Cost): void {
  figures.rowsRead += more.rowsRead
  figures.rowsWritten += more.rowsWritten
  figures.durationMs += more.durationMs
}

/** A rule in migrations/, or a check of the database itself (storage/tenants/identity.ts), refused the batch. */
export class GuardError extends Error {
  readonly rule:
    | 'no token'
    | 'revoked token'
    | 'expired token'
    | 'lapsed token'
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
    | 'held'
    | 'wrong database'
    | 'many memberships'

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

/** A batch that was rolled back on purpose: see ../explain/effects.ts. */
export class RolledBack extends Error {
  readonly text: string

  constructor(text: string, options?: ErrorOptions) {
    super('the batch is rolled back', options)
    this.text = text
  }
}

/** A value of a statement or a result, such as the list of groups of a user, exceeds the limit of the database. */
export class ValueTooLarge extends Error {}

/** A read was left out, because nobody waits for its results. */
export class ClientGone extends Error {}

/** The database did not answer, or answered that it cannot serve now. */
export class DatabaseUnavailable extends Error {}

/** The part of D1's binding that we use; other runtimes implement it. */
export interface D1Binding extends Pick<D1Database, 'prepare' | 'batch'> {
  /** Runs a batch that takes long without delaying others. D1 has no need of it. */
  readonly longBatch?: D1Database['batch']
  /** The results of a batch whose statements are all remembered: see remembered.ts. @returns undefined if one is not */
  readonly recall?: (statements: readonly Statement[]) => readonly RememberedResult[] | undefined
}

/**
 * Opens a D1 binding for one request.
 *
 * @param figures receives what each batch cost, from D1's own `meta`
 * @param timeoutMs Infinity for a database in the same process, which cannot be out of reach
 */
export function openDatabase(
  binding: D1Binding,
  figures: DatabaseFigures,
  timeoutMs = BATCH_TIMEOUT_MS,
): Database {
  return {
    hasThread: binding.longBatch !== undefined,
    async batch(statements, isLong) {
      const known = isLong ? undefined : recall(binding, statements, figures)
      if (known !== undefined) return known
      const prepared = statements.map(({ sql, params }) => binding.prepare(sql).bind(...params))
      figures.roundTrips++
      try {
        const answer = isLong
          ? longBatch(binding, prepared, notesIn(statements))
          : binding.batch<Row>(prepared)
        return (await withTimeout(answer, timeoutMs)).map(({ results: rows, meta }) => {
          const { rows_read: rowsRead, rows_written: rowsWritten, duration: durationMs, changes } = meta
          const cost = { rowsRead, rowsWritten, durationMs }
          addCost(figures, cost)
          return { rows, changes, cost }
        })
      } catch (error) {
        throw translateError(error)
      }
    },
  }
}

function recall(
  binding: D1Binding,
  statements: readonly Statement[],
  figures: DatabaseFigures,
): readonly RememberedResult[] | undefined {
  try {
    const known = binding.recall?.(statements)
    if (known === undefined) return undefined
    figures.roundTrips++
    for (const { cost } of known) addCost(figures, cost)
    return known
  } catch (error) {
    throw translateError(error)
  }
}

/** The number of notes at the end of a batch. */
function notesIn(statements: readonly Statement[]): number {
  return statements.length - 1 - statements.findLastIndex(({ isNote }) => isNote !== true)
}

/** The notes are a batch of their own where long batches run in another thread. */
async function longBatch(
  binding: D1Binding,
  statements: D1PreparedStatement[],
  notes: number,
): Promise<D1Result<Row>[]> {
  if (binding.longBatch === undefined) return await binding.batch<Row>(statements)
  const end = statements.length - notes
  if (end === 0 || notes === 0) return await binding.longBatch<Row>(statements)
  const results = await binding.longBatch<Row>(statements.slice(0, end))
  return [...results, ...(await binding.batch<Row>(statements.slice(end)))]
}

/**
 * The same database for work of many batches, such as an export: each batch waits for its turn.
 *
 * @param turn undefined where no turns are taken
 */
export function inTurn(db: Database, turn: (() => Promise<void> | undefined) | undefined): Database {
  if (turn === undefined) return db
  return {
    async batch(statements, isLong) {
      await turn()
      return await db.batch(statements, isLong)
    },
  }
}

/** The same database for work in the background: none of its batches delays a request. */
export function inBackground(db: Database): Database {
  return { batch: (statements) => db.batch(statements, true) }
}

/** Stops waiting after `ms`. The work itself goes on and may still be done: see DatabaseUnavailable. */
export function withTimeout<Result>(answer: Promise<Result>, ms: number): Promise<Result> {
  return ms === Number.POSITIVE_INFINITY ? answer : withTimer(answer, ms)
}

async function withTimer<Result>(answer: Promise<Result>, ms: number): Promise<Result> {
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
 * D1 distinguishes errors by their text alone: `D1_ERROR: UNIQUE constraint failed: users.x: SQLITE_CONSTRAINT…`. An
 * error that names a fault in our SQL is ours. Any other error means that the database cannot serve now.
 */
export function translateError(cause: unknown): Error {
  const message = cause instanceof Error ? cause.message : String(cause)
  // The message quotes the path as SQL does.
  const rolledBack = /JSON path: 'rolled back: (.*)'/s.exec(message)
  if (rolledBack?.[1] !== undefined) return new RolledBack(rolledBack[1].replaceAll("''", "'"), { cause })
  const guard =
    /guard: (no token|revoked token|expired token|lapsed token|read token|stale version|stale tenant|group limit|unknown member|nested groups|importing|deleting|moving|moved|held|wrong database|many memberships)/.exec(
      message,
    )
  if (guard) return new GuardError(guard[1] as GuardError['rule'], { cause })
  const unique = /UNIQUE constraint failed: ([\w., ]+)/.exec(message)
  if (unique) return new UniqueError(unique[1] ?? '', { cause })
  if (/nobody waits for the result/.test(message)) return new ClientGone('the client has gone', { cause })
  if (/string or blob too big/.test(message)) return new ValueTooLarge('a value is too large', { cause })
  if (/SQLITE_(?:ERROR|CONSTRAINT|MISMATCH|RANGE|TOOBIG)|D1_TYPE_ERROR/.test(message)) {
    return new Error('the database refused a statement', { cause })
  }
  return new DatabaseUnavailable('the database does not answer', { cause })
}

/**
 * How drizzle writes SQL for SQLite. Its own dialect class is not used, because it brings the query builder and the
 * relations into the module, and it does not number parameters.
 */
const SQLITE = {
  casing: new CasingCache(),
  escapeName: (name: string) => `"${name.replaceAll('"', '""')}"`,
  escapeParam: (index: number) => `?${index + 1}`,
  escapeString: (text: string) => `'${text.replaceAll("'", "''")}'`,
}

/**
 * The statement of a drizzle query. If it has more parameters than D1 binds, all of them travel as one JSON array.
 * Each parameter is then a constant expression, so SQLite can still use an index for it.
 */
export function statement(query: SQLWrapper): Statement {
  const { sql: text, params } = render(query)
  if (params.length <= MAX_BOUND_PARAMETERS) return { sql: text, params: params as SqlValue[] }
  const packed = text.replace(/\?(\d+)/g, (_, number) => `(?1->>${Number(number) - 1})`)
  return { sql: packed, params: [JSON.stringify(params)] }
}

/**
 * A limit that is a parameter alone. SQLite plans for its value, so it would prepare the statement again for each value that is
 * bound, which takes longer than most reads: sqlite3ExprIsInteger in its source. It does not look into an expression.
 */
const BARE_LIMIT = /\bLIMIT \?\d+\b(?! [-+*])/g

function render(query: SQLWrapper): { sql: string; params: unknown[] } {
  const { sql: written, params } = query.getSQL().toQuery(SQLITE)
  // Indentation counts towards D1's limit of 100,000 bytes in a statement. None of our string literals holds a line
  // break.
  return { sql: written.replace(/\s*\n\s*/g, ' ').replace(BARE_LIMIT, '$& + 0'), params }
}

/** Placeholders, by name, for the values of each use of a prepared statement. */
export type Slots<Name extends string> = Readonly<Record<Name, Placeholder>>

const SLOTS = new Proxy({}, { get: (_, name) => sql.placeholder(String(name)) })

/**
 * A statement whose text is rendered once and reused with other values. Rendering costs more processor time than
 * SQLite needs for the statement. The text is rendered at the first use, so the start of an isolate costs nothing.
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

/** The same for statements that are always sent together. */
export function preparedAll<Name extends string>(
  build: (slots: Slots<Name>) => readonly SQLWrapper[],
): (values: Readonly<Record<Name, SqlValue>>) => readonly Statement[] {
  let statements: readonly ReturnType<typeof prepared<Name>>[] | undefined
  return (values) => {
    statements ??= build(SLOTS as Slots<Name>).map((query) => prepared<Name>(() => query))
    return statements.map((statement) => statement(values))
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
